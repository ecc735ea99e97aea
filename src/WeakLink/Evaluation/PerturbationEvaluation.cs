using System.Diagnostics;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Perturbations;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>Measures how steady a network is on perturbation sequences, made on the fly or read from disk.</summary>
internal static class PerturbationEvaluation
{
    /// <summary>Measures on as many images as the recipe says.</summary>
    public static PerturbationSummary Measure(Evaluator evaluator)
    {
        var (recipe, settings) = (evaluator.Recipe, evaluator.Recipe.Evaluation);
        var perturbations = CommonPerturbations.Named(settings.Perturbations);
        using var folder = settings.PerturbedImages.Length > 0 ? new PerturbationFolder(settings.PerturbedImages, evaluator.Images.Classes) : null;
        var clean = StratifiedSplit.Limit(evaluator.Images, settings.PerturbationImages, recipe.Seed);
        var crop = evaluator.Crop;

        using var network = evaluator.Measured();
        using var noGradients = torch.no_grad();
        var done = 0;
        var (flips, distances) = (new Dictionary<string, double>(), new Dictionary<string, double>());
        evaluator.Observer.Begin("perturbations", perturbations.Count, "sets", evaluator.Before("perturbation "));
        var measured = evaluator.Each(
            [.. perturbations.Select(perturbation => $"perturbation {perturbation.Name}")], i => MeasureSet(perturbations[i]), (i, _) => evaluator.Observer.Advance(++done, perturbations[i].Name));
        foreach (var (perturbation, set) in perturbations.Zip(measured))
        {
            flips.Add(perturbation.Name, set.Flips);
            distances.Add(perturbation.Name, set.Distance);
        }

        var counted = PerturbationSummary.Counted(flips.Keys);
        return new PerturbationSummary(
            measured[^1].Sequences,
            folder is null ? CorruptionSummary.Generated : settings.PerturbedImages,
            counted.Average(name => flips[name]),
            counted.Average(name => distances[name]),
            Mfr: null,
            Mt5d: null,
            Reference: null,
            flips,
            distances,
            measured.Sum(set => set.Seconds),
            measured.Sum(set => set.Waited));

        PerturbedSet MeasureSet(Perturbation perturbation)
        {
            var start = Stopwatch.GetTimestamp();
            var (sequences, frames) = folder is null
                ? (new PerturbedDataset(clean, crop, perturbation, recipe.Seed), perturbation.Frames(SeverityTables.For(crop.Height, crop.Width)))
                : folder.Sequences(perturbation, evaluator.Stop);
            // As the images are that sequences are made of.
            sequences = StratifiedSplit.Limit(StratifiedSplit.Limit(sequences, settings.Images, recipe.Seed), settings.PerturbationImages, recipe.Seed);
            if ((sequences.Height / frames, sequences.Width) != (crop.Height, crop.Width))
            {
                throw new InputException($"The frames of {perturbation.Name} in '{settings.PerturbedImages}' have {sequences.Width}x{sequences.Height / frames} pixels, but the network sees {crop.Width}x{crop.Height}: give the sequences of images of its size.");
            }

            var loader = Loaders.Whole(recipe, sequences, Math.Max(1, settings.Batch / frames));
            var meter = new StabilityMeter(perturbation.IsNoise);
            foreach (var batch in loader.InOrder())
            {
                evaluator.Stop.ThrowIfCancellationRequested();
                using var scope = torch.NewDisposeScope();
                using (batch)
                {
                    // The frames' bytes follow one another: only their shape has to be told.
                    var images = batch.Images.to(evaluator.Device).view(-1, Dataset.Channels, sequences.Height / frames, sequences.Width);
                    meter.Add(network.Classify(Pixels.ToUnit(images)), frames);
                }
            }

            return new(meter.FlipProbability, meter.Top5Distance, sequences.Count, Stopwatch.GetElapsedTime(start).TotalSeconds, loader.SecondsWaited);
        }
    }

    // Sequences of one perturbation.
    private sealed record PerturbedSet([property: Limits(0, 1)] double Flips, double Distance, int Sequences, double Seconds, double Waited);
}
