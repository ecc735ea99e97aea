using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>Accuracy under attacks of growing size.</summary>
/// <param name="Images">Images attacked.</param>
/// <param name="Points">For each ε in units of [0, 1], from 0: the fraction classified correctly within it.</param>
/// <param name="Examples">An adversarial example for each ε that broke an image which smaller ones had not.</param>
public sealed record RobustnessCurve(int Images, IReadOnlyList<(double Epsilon, double Accuracy)> Points, IReadOnlyList<RobustnessCurve.Example> Examples)
{
    /// <summary>Sizes of the attacks, in 255ths.</summary>
    public static IReadOnlyList<double> Sizes { get; } = [0.25, 0.5, 1, 2, 4, 8, 16];

    /// <summary>Steps of each attack.</summary>
    public const int Steps = 10;

    /// <summary>An image, and what broke it.</summary>
    /// <param name="Index">Index of the image in the data set.</param>
    /// <param name="Threat">The smallest threat that broke it.</param>
    /// <param name="Label">Its class.</param>
    /// <param name="Predicted">What the network takes it for.</param>
    /// <param name="Image">3×H×W bytes.</param>
    /// <param name="Adversarial">3×H×W in [0, 1], float32.</param>
    public sealed record Example(int Index, ThreatModel Threat, int Label, int Predicted, byte[] Image, float[] Adversarial);

    /// <summary>
    /// Measures with PGD in L∞ (steps of ε/4, as in training). What a small attack breaks a larger one breaks too, so only images that
    /// are left go on. An upper bound: a stronger attack finds more.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="images">Its images.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="progress">Told how many of <see cref="Sizes"/> are done.</param>
    /// <param name="stop">Stops between two batches.</param>
    public static RobustnessCurve Measure(
        ClassifierNetwork network, BatchLoader images, torch.Device device, long seed, Action<int>? progress = null, CancellationToken stop = default)
    {
        network.eval();
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var model = new AttackedModel(network);
        var batches = images.InOrder().Select(batch => (Images: Pixels.ToUnit(batch.Images.to(device)), Labels: batch.Labels.to(device), batch.Identities)).ToList();
        var (all, labels) = (torch.cat([.. batches.Select(batch => batch.Images)]), torch.cat([.. batches.Select(batch => batch.Labels)]));
        var identities = batches.SelectMany(batch => batch.Identities).ToList();
        var count = (int)labels.shape[0];
        var left = Enumerable.Range(0, count).Select(i => (long)i).Where(Correct(all)).ToList();
        var points = new List<(double, double)> { (0, (double)left.Count / count) };
        var kept = new List<Example>();
        foreach (var size in Sizes)
        {
            var threat = new ThreatModel(Norm.Linf, size / 255);
            var attack = new ProjectedGradientDescent(threat, Steps, threat.Epsilon / 4);
            var robust = new List<long>();
            foreach (var indices in left.Chunk((int)batches[0].Labels.shape[0]))
            {
                stop.ThrowIfCancellationRequested();
                using var iteration = torch.NewDisposeScope();
                var chosen = torch.tensor(indices, device: device);
                var (x, y) = (all.index_select(0, chosen), labels.index_select(0, chosen));
                var tried = attack.Perturb(model, x, y, seed, [.. indices.Select(index => identities[(int)index])], stop);
                var predicted = model.Predict(tried, position => $"{images.Describe((int)indices[position])} under PGD").cpu().data<long>().ToArray();
                var truth = y.cpu().data<long>().ToArray();
                for (var i = 0; i < indices.Length; i++)
                {
                    if (predicted[i] == truth[i])
                    {
                        robust.Add(indices[i]);
                    }
                    else if (kept.All(example => example.Threat != threat))
                    {
                        kept.Add(new Example(
                            (int)indices[i],
                            threat,
                            (int)truth[i],
                            (int)predicted[i],
                            x[i].mul(Kept(255)).round().to(torch.uint8).cpu().contiguous().data<byte>().ToArray(),
                            tried[i].cpu().contiguous().data<float>().ToArray()));
                    }
                }
            }

            left = robust;
            points.Add((threat.Epsilon, (double)left.Count / count));
            progress?.Invoke(points.Count - 1);
        }

        return new RobustnessCurve(count, points, kept);

        Func<long, bool> Correct(torch.Tensor tensor)
        {
            var right = torch.cat([.. tensor.split(batches[0].Labels.shape[0]).Select(part => model.Predict(part))]).eq(labels).cpu().data<bool>().ToArray();
            return index => right[index];
        }
    }
}
