using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>A point of a <see cref="RobustnessCurve"/>.</summary>
/// <param name="Eps">The largest perturbation, in units of [0, 1]; 0: none.</param>
/// <param name="Accuracy">Share of the images that it leaves classified correctly.</param>
public sealed record CurvePoint([property: Limits(0, 1)] double Eps, [property: Limits(0, 1)] double Accuracy);

/// <summary>An image, and the smallest attack of a <see cref="RobustnessCurve"/> that broke it.</summary>
/// <param name="Index">Index of the image among those attacked.</param>
/// <param name="Threat">What that attack was allowed.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">What the network takes it for.</param>
/// <param name="Image">3×H×W in [0, 1], float32.</param>
/// <param name="Adversarial">3×H×W in [0, 1], float32.</param>
public sealed record BrokenImage(int Index, ThreatModel Threat, int Label, int Predicted, float[] Image, float[] Adversarial);

/// <summary>
/// Accuracy under PGD of growing size, in L∞ (ten steps of ε/4, as in Madry et al. 2018). What a small attack breaks a larger one breaks too, so only images
/// that are left go on. An upper bound: a stronger attack finds more.
/// </summary>
/// <param name="Images">Images attacked.</param>
/// <param name="Steps">Steps of each attack.</param>
/// <param name="Points">By size, from none.</param>
public sealed record RobustnessCurve(
    [property: Limits(1, int.MaxValue)] int Images,
    [property: Limits(1, int.MaxValue)] int Steps,
    IReadOnlyList<CurvePoint> Points)
{
    private const int PgdSteps = 10;

    /// <summary>Forward passes of an image under one size, a gradient counted as three.</summary>
    internal const int Passes = (3 * PgdSteps) + 1;

    /// <summary>Sizes of the attacks, in 255ths.</summary>
    public static IReadOnlyList<double> Sizes { get; } = [0.25, 0.5, 1, 2, 4, 8, 16];

    /// <summary>Measures on all images, and takes for each size the first image that it breaks and smaller ones had not.</summary>
    internal static (RobustnessCurve Curve, IReadOnlyList<BrokenImage> Broken) Measure(Evaluator evaluator)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var (model, device, observer) = (new AttackedModel(evaluator.Network), evaluator.Device, evaluator.Observer);
        observer.Begin("growing attacks", Sizes.Count, "sizes");
        var batches = Loaders.Measuring(evaluator.Recipe, evaluator.Images).InOrder().Select(batch => (Images: Pixels.ToUnit(batch.Images.to(device)), Labels: batch.Labels.to(device))).ToList();
        var (all, labels) = (torch.cat([.. batches.Select(batch => batch.Images)]), torch.cat([.. batches.Select(batch => batch.Labels)]));
        var count = (int)labels.shape[0];
        var right = torch.cat([.. all.split(batches[0].Labels.shape[0]).Select(part => model.Predict(part))]).eq(labels).cpu().data<bool>().ToArray();
        var left = Enumerable.Range(0, count).Where(i => right[i]).Select(i => (long)i).ToList();
        var points = new List<CurvePoint> { new(0, (double)left.Count / count) };
        var broken = new List<BrokenImage>();
        foreach (var size in Sizes)
        {
            var threat = new ThreatModel(Norm.Linf, size / 255);
            var fallen = evaluator.Once(string.Create(CultureInfo.InvariantCulture, $"curve {size}"), () => Attack(threat));
            if (fallen.Indices.Length > 0)
            {
                var i = fallen.Indices[0];
                broken.Add(new BrokenImage(i, threat, evaluator.Images.Label(i), fallen.Predicted, Values(all[i]), MemoryMarshal.Cast<byte, float>(fallen.Adversarial).ToArray()));
            }

            left = [.. left.Except(fallen.Indices.Select(index => (long)index))];
            points.Add(new(threat.Epsilon, (double)left.Count / count));
            observer.Advance(points.Count - 1);
        }

        return (new RobustnessCurve(count, PgdSteps, points), broken);

        Fallen Attack(ThreatModel threat)
        {
            var fallen = new Fallen([], 0, []);
            foreach (var indices in left.Chunk((int)batches[0].Labels.shape[0]))
            {
                evaluator.Stop.ThrowIfCancellationRequested();
                using var iteration = torch.NewDisposeScope();
                var chosen = torch.tensor(indices, device: device);
                var (x, y) = (all.index_select(0, chosen), labels.index_select(0, chosen));
                var tried = new ProjectedGradientDescent(threat, PgdSteps, threat.Epsilon / 4).Perturb(model, x, y, evaluator.Recipe.Seed, [.. indices.Select(index => evaluator.Images.Identity((int)index))], evaluator.Stop);
                var predicted = model.Predict(tried, position => $"{evaluator.Images.Describe((int)indices[position])} under PGD").cpu().data<long>().ToArray();
                var truth = y.cpu().data<long>().ToArray();
                int[] falls = [.. Enumerable.Range(0, indices.Length).Where(i => predicted[i] != truth[i])];
                if (falls.Length > 0 && fallen.Indices.Length == 0)
                {
                    fallen = new([], (int)predicted[falls[0]], MemoryMarshal.AsBytes(Values(tried[falls[0]]).AsSpan()).ToArray());
                }

                fallen = fallen with { Indices = [.. fallen.Indices, .. falls.Select(i => (int)indices[i])] };
            }

            return fallen;
        }

        static float[] Values(torch.Tensor image) => image.cpu().contiguous().data<float>().ToArray();
    }

    // Images that attacks of one size broke, ascending, and of the first of them what it is taken for and the adversarial example (float32 as bytes).
    private sealed record Fallen(int[] Indices, int Predicted, byte[] Adversarial);
}
