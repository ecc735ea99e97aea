using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Evaluation;

/// <summary>Measures a classifier on images as they are.</summary>
internal static class CleanEvaluation
{
    /// <summary>Runs every image through the classifier.</summary>
    /// <param name="classify">N×3×H×W in [0, 1], float32, to logits N×classes. Gradients are off.</param>
    /// <param name="images">The images.</param>
    /// <param name="device">Where the classifier lives.</param>
    /// <param name="observer">Told the number of images done.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static CleanMeasurement Measure(
        Func<torch.Tensor, torch.Tensor> classify, BatchLoader images, torch.Device device, IRunObserver observer, CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        var meter = new ClassificationMeter();
        foreach (var batch in images.InOrder())
        {
            stop.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                meter.Add(classify(Pixels.ToUnit(batch.Images.to(device))), batch.Labels, images.Describe);
                observer.Advance(meter.Images);
            }
        }

        return meter.Result();
    }
}
