using System.Diagnostics;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Perturbations;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>A network's stability under one perturbation.</summary>
/// <param name="Perturbation">Which.</param>
/// <param name="FlipProbability">See <see cref="StabilityMeter.FlipProbability"/>.</param>
/// <param name="Top5Distance">See <see cref="StabilityMeter.Top5Distance"/>.</param>
public sealed record PerturbationStability(Perturbation Perturbation, double FlipProbability, double Top5Distance);

/// <summary>A network's stability under perturbations.</summary>
/// <param name="Sequences">Sequences of each perturbation.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="Perturbations">By perturbation.</param>
/// <param name="Seconds">Wall-clock time of it all.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record PerturbationMetrics(int Sequences, string Source, IReadOnlyList<PerturbationStability> Perturbations, double Seconds, double WaitedSeconds)
{
    /// <summary>Perturbations that means are taken over: those of the benchmark where any of them was measured, else all that were.</summary>
    public IReadOnlyList<PerturbationStability> Counted =>
        Perturbations.Any(stability => !stability.Perturbation.HeldOut) ? [.. Perturbations.Where(stability => !stability.Perturbation.HeldOut)] : Perturbations;
}

/// <summary>Measures how steady a network is on perturbation sequences, made on the fly or read from disk.</summary>
public static class PerturbationEvaluation
{
    /// <summary>Measures.</summary>
    /// <param name="network">The network.</param>
    /// <param name="recipe">Which perturbations, of how many images.</param>
    /// <param name="test">Clean test images.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">An unknown perturbation, or unusable files.</exception>
    public static PerturbationMetrics Measure(
        ClassifierNetwork network, Recipe recipe, Dataset test, torch.Device device, IRunObserver observer, CancellationToken stop)
    {
        var settings = recipe.Evaluation;
        var perturbations = CommonPerturbations.Named(settings.Perturbations);
        using var folder = settings.PerturbedImages.Length > 0 ? new PerturbationFolder(settings.PerturbedImages, test.Classes) : null;
        var clean = StratifiedSplit.Limit(test, settings.PerturbationImages, recipe.Seed);
        var crop = Loaders.MeasuringCrop(recipe, test);

        network.eval();
        using var noGradients = torch.no_grad();
        var start = Stopwatch.GetTimestamp();
        var (waited, done, count) = (0.0, 0, 0);
        var results = new List<PerturbationStability>();
        observer.Begin("perturbations", perturbations.Count, "sets");
        foreach (var perturbation in perturbations)
        {
            var (sequences, frames) = folder is null
                ? (new PerturbedDataset(clean, crop, perturbation, recipe.Seed), perturbation.Frames(SeverityTables.For(crop.Height, crop.Width)))
                : folder.Sequences(perturbation, stop);
            sequences = StratifiedSplit.Limit(sequences, settings.PerturbationImages, recipe.Seed);
            if ((sequences.Height / frames, sequences.Width) != (crop.Height, crop.Width))
            {
                throw new InputException($"The frames of {perturbation.Name} in '{settings.PerturbedImages}' have {sequences.Width}x{sequences.Height / frames} pixels, but the network sees {crop.Width}x{crop.Height}: give the sequences of images of its size.");
            }

            var loader = Loaders.Whole(recipe, sequences, Math.Max(1, settings.Batch / frames));
            var meter = new StabilityMeter(perturbation.IsNoise);
            foreach (var batch in loader.InOrder())
            {
                stop.ThrowIfCancellationRequested();
                using var scope = torch.NewDisposeScope();
                using (batch)
                {
                    // The frames' bytes follow one another: only their shape has to be told.
                    var images = batch.Images.to(device).view(-1, Dataset.Channels, sequences.Height / frames, sequences.Width);
                    meter.Add(network.call(Pixels.ToUnit(images)), frames);
                }
            }

            waited += loader.SecondsWaited;
            count = sequences.Count;
            results.Add(new PerturbationStability(perturbation, meter.FlipProbability, meter.Top5Distance));
            observer.Advance(++done, perturbation.Name);
        }

        return new PerturbationMetrics(count, folder is null ? "generated" : settings.PerturbedImages, results, Stopwatch.GetElapsedTime(start).TotalSeconds, waited);
    }
}
