using System.Diagnostics;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Training;

namespace WeakLink.Evaluation;

/// <summary>A network's errors under one corruption.</summary>
/// <param name="Corruption">Which.</param>
/// <param name="Errors">Top-1 error in [0, 1] for each measured severity, weakest first.</param>
public sealed record CorruptionErrors(Corruption Corruption, IReadOnlyList<double> Errors)
{
    /// <summary>Mean over the severities.</summary>
    public double Mean => Errors.Average();
}

/// <summary>A network's errors under common corruptions.</summary>
/// <param name="Images">Images measured for each corruption and severity.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="Table">Which severities were generated; null for a folder.</param>
/// <param name="Severities">The severities that were measured: all five, unless a folder holds fewer.</param>
/// <param name="Corruptions">Errors by corruption.</param>
/// <param name="Seconds">Wall-clock time of it all.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record CorruptionMetrics(
    int Images, string Source, SeverityTable? Table, IReadOnlyList<int> Severities, IReadOnlyList<CorruptionErrors> Corruptions, double Seconds, double WaitedSeconds)
{
    /// <summary>
    /// Mean error over corruptions and severities: over the benchmark's 15 where any of them was measured, else over all that were.
    /// </summary>
    public double MeanError => Counted.Average(errors => errors.Mean);

    /// <summary>Corruptions that the means are taken over.</summary>
    public IReadOnlyList<CorruptionErrors> Counted =>
        Corruptions.Any(errors => !errors.Corruption.HeldOut) ? [.. Corruptions.Where(errors => !errors.Corruption.HeldOut)] : Corruptions;
}

/// <summary>Measures a network on corrupted images, made on the fly or read from disk.</summary>
public static class CorruptionEvaluation
{
    /// <summary>Measures.</summary>
    /// <param name="network">The network.</param>
    /// <param name="recipe">Which corruptions, on how many images.</param>
    /// <param name="test">Clean test images.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">An unknown corruption, or unusable files.</exception>
    public static CorruptionMetrics Measure(
        ClassifierNetwork network, Recipe recipe, Dataset test, torch.Device device, IRunObserver observer, CancellationToken stop)
    {
        var settings = recipe.Evaluation;
        var corruptions = CommonCorruptions.Named(settings.Corruptions, settings.FrostTextures.Length > 0 ? settings.FrostTextures : null);
        var crop = Loaders.MeasuringCrop(recipe, test);
        using var folder = settings.CorruptedImages.Length > 0 ? CorruptionFolder.Open(settings.CorruptedImages, test.Classes, recipe.Data) : null;
        var clean = StratifiedSplit.Limit(test, settings.CorruptionImages, recipe.Seed);
        Dataset Images(Corruption corruption, int severity) => folder is null
            ? new CorruptedDataset(clean, crop, corruption, severity, recipe.Seed)
            : StratifiedSplit.Limit(folder.Images(corruption, severity, observer, stop), settings.CorruptionImages, recipe.Seed);

        var severities = folder?.Severities ?? Corruption.AllSeverities;
        network.eval();
        var start = Stopwatch.GetTimestamp();
        var (waited, done, count) = (0.0, 0L, 0);
        var results = new List<CorruptionErrors>();
        observer.Begin("corruptions", (long)corruptions.Count * severities.Count, "sets");
        foreach (var corruption in corruptions)
        {
            var errors = new List<double>();
            foreach (var severity in severities)
            {
                var images = Images(corruption, severity);
                var seen = Loaders.MeasuringCrop(recipe, images);
                if (images.Height < crop.Height || images.Width < crop.Width || (seen.Height, seen.Width) != (crop.Height, crop.Width))
                {
                    throw new InputException($"The images of {images.Name} in '{settings.CorruptedImages}' have {images.Width}x{images.Height} pixels, but the network sees {crop.Width}x{crop.Height}: give the corruptions of images of its size.");
                }

                var loader = Loaders.Measuring(recipe, images);
                errors.Add(1 - CleanEvaluation.Measure(network.call, loader, device, stop: stop).Top1);
                waited += loader.SecondsWaited;
                count = images.Count;
                observer.Advance(++done, $"{corruption.Name} {severity}");
            }

            results.Add(new CorruptionErrors(corruption, errors));
        }

        return new CorruptionMetrics(
            count,
            folder is null ? "generated" : settings.CorruptedImages,
            folder is null ? SeverityTables.For(crop.Height, crop.Width) : null,
            severities,
            results,
            Stopwatch.GetElapsedTime(start).TotalSeconds,
            waited);
    }
}
