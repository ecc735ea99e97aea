using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Evaluation;

/// <summary>Measures a classifier on images as they are.</summary>
internal static class CleanEvaluation
{
    /// <summary>Runs every image through the classifier.</summary>
    /// <param name="classify">N×3×H×W in [0, 1], float32, to logits N×classes. Gradients are off.</param>
    /// <param name="images">The images.</param>
    /// <param name="kept">What was measured before, batch by batch; null: nothing is kept.</param>
    /// <param name="device">Where the classifier lives.</param>
    /// <param name="observer">Told the number of images done.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static CleanMeasurement Measure(
        Func<torch.Tensor, torch.Tensor> classify, BatchLoader images, KeptResults? kept, torch.Device device, IRunObserver observer, CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        var (meter, step) = (new ClassificationMeter(), 0);
        for (; kept is not null && kept.TryFind<ScoredImages>(Name(step), out var before); step++)
        {
            meter.Add(before);
        }

        var clock = Stopwatch.GetTimestamp();
        foreach (var batch in images.InOrder(step))
        {
            stop.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                var scored = ScoredImages.Of(classify(Pixels.ToUnit(batch.Images.to(device))), batch.Labels, position => images.Describe(meter.Images + position));
                meter.Add(scored);
                kept?.Add(Name(step++), scored, Stopwatch.GetElapsedTime(clock).TotalSeconds);
                clock = Stopwatch.GetTimestamp();
                observer.Advance(meter.Images);
            }
        }

        return meter.Result();

        static string Name(int step) => string.Create(CultureInfo.InvariantCulture, $"clean {step}");
    }
}
