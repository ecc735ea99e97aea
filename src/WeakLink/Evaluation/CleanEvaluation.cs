using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Evaluation;

/// <summary>Measures a classifier on images as they are.</summary>
public static class CleanEvaluation
{
    /// <summary>Runs every image through the classifier.</summary>
    /// <param name="classify">N×3×H×W in [0, 1], float32, to logits N×classes. Gradients are off.</param>
    /// <param name="images">The images.</param>
    /// <param name="device">Where the classifier lives.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static ClassificationMetrics Measure(
        Func<torch.Tensor, torch.Tensor> classify,
        BatchLoader images,
        torch.Device device,
        Action<int>? progress = null,
        CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        var meter = new ClassificationMeter();
        var done = 0;
        foreach (var batch in images.InOrder())
        {
            stop.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                meter.Add(classify(Pixels.ToUnit(batch.Images.to(device))), batch.Labels, images.Describe);
                done += (int)batch.Labels.shape[0];
                progress?.Invoke(done);
            }
        }

        return meter.Result();
    }
}
