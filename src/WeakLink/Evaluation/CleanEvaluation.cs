using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

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
    /// <param name="processes">Those that measure together: each takes a batch, then another, and the results come in the images' order.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static CleanMeasurement Measure(
        Func<torch.Tensor, torch.Tensor> classify, BatchLoader images, KeptResults? kept, torch.Device device, IRunObserver observer, ProcessGroup processes, CancellationToken stop)
    {
        using var noGradients = torch.no_grad();
        var before = new List<ScoredImages>();
        while (kept is not null && kept.TryFind<ScoredImages>(Name(before.Count), out var scored))
        {
            before.Add(scored);
        }

        var meter = new ClassificationMeter();
        before = processes.From(before);
        before.ForEach(meter.Add);
        var clock = Stopwatch.GetTimestamp();
        using var batches = images.InOrder(before.Count + processes.Rank, processes.Size).GetEnumerator();
        for (var step = before.Count; step < images.BatchesInOrder;)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var scored in processes.Gather(batches.MoveNext() ? Scored(batches.Current, step + processes.Rank) : null).OfType<ScoredImages>())
            {
                meter.Add(scored);
                kept?.Add(Name(step), scored, Stopwatch.GetElapsedTime(clock).TotalSeconds);
                clock = Stopwatch.GetTimestamp();
                step++;
            }

            observer.Advance(meter.Images);
        }

        return meter.Result();

        ScoredImages? Scored(Batch batch, int number)
        {
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                return ScoredImages.Of(classify(Pixels.ToUnit(batch.Images.to(device))), batch.Labels, position => images.Describe((number * images.BatchSize) + position));
            }
        }

        static string Name(int step) => string.Create(CultureInfo.InvariantCulture, $"clean {step}");
    }
}
