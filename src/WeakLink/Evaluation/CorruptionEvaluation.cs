using System.Diagnostics;
using System.Text.Json;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Processes;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>Measures a network on corrupted images, made on the fly or read from disk.</summary>
public static class CorruptionEvaluation
{
    /// <summary>Looks at the folder of corrupted images that a recipe names, if it does, before hours go into what comes before them.</summary>
    /// <param name="recipe">What to measure.</param>
    /// <param name="test">Clean test images, as the network takes them.</param>
    /// <param name="measured">Those that are measured.</param>
    /// <param name="run">The images of the network's run; null where they are not known.</param>
    /// <param name="observer">Told of doubts, and where there can be no check.</param>
    /// <returns>Reasons to doubt the numbers, in sentences.</returns>
    /// <exception cref="InputException">The folder is unusable, or its images are not of the network's classes or size.</exception>
    public static IReadOnlyList<string> Check(Recipe recipe, Dataset test, KnownImages measured, KnownSplits? run, IRunObserver observer)
    {
        var path = recipe.Evaluation.CorruptedImages;
        if (recipe.Evaluation.Corruptions == EvaluationRecipe.None || path.Length == 0)
        {
            return [];
        }

        using var folder = CorruptionFolder.Open(path, test.Classes, recipe.Data);
        if (folder.Size is { } size)
        {
            RequireSize(recipe, test, size.Width, size.Height);
        }

        if (folder.Originals is not { } originals)
        {
            observer.Note($"'{path}' does not say what images it was made of (it was published, or written by an older version): whether the network was trained on them, and whether its classes have the network's order, can't be checked.");
            return [];
        }

        var shared = originals.CountAmong([measured]);
        string[] doubts =
        [
            .. run?.Met(originals, $"images that '{path}' was made of") ?? [],
            .. shared < Math.Min(originals.Hashes.Count, measured.Hashes.Count)
                ? (string[])[$"{(shared == 0 ? "None" : $"Only {shared:n0}")} of the {originals.Hashes.Count:n0} images that '{path}' was made of {(shared == 1 ? "is" : "are")} among the clean images measured here: clean and corrupted accuracy are of different images; make corrupted images of the run's own."]
                : [],
        ];
        foreach (var doubt in doubts)
        {
            observer.Note(doubt);
        }

        return doubts;
    }

    private static void RequireSize(Recipe recipe, Dataset test, int width, int height)
    {
        var crop = Loaders.MeasuringCrop(recipe, test);
        if ((width, height) != (test.Width, test.Height) && (width, height) != (crop.Width, crop.Height))
        {
            throw new InputException($"The images in '{recipe.Evaluation.CorruptedImages}' have {width}x{height} pixels, but the network {((crop.Width, crop.Height) == (test.Width, test.Height) ? "" : $"takes {test.Width}x{test.Height} and ")}sees {crop.Width}x{crop.Height}: give the corruptions of images of its size (those made of the run's own are).");
        }
    }

    // Under one corruption and severity.
    private sealed record CorruptedSet([property: Limits(0, 1)] double Error, int Images, double Seconds, double Waited);

    /// <summary>Measures on as many images as the recipe says.</summary>
    internal static CorruptionSummary Measure(Evaluator evaluator)
    {
        var (recipe, observer) = (evaluator.Recipe, evaluator.Observer);
        var settings = recipe.Evaluation;
        var corruptions = CommonCorruptions.Named(settings.Corruptions, settings.FrostTextures.Length > 0 ? settings.FrostTextures : null);
        var crop = evaluator.Crop;
        using var folder = settings.CorruptedImages.Length > 0 ? CorruptionFolder.Open(settings.CorruptedImages, evaluator.Images.Classes, recipe.Data) : null;
        var clean = StratifiedSplit.Limit(evaluator.Images, settings.CorruptionImages, recipe.Seed);
        var severities = folder?.Severities ?? Corruption.AllSeverities;
        using var network = evaluator.Measured();
        var done = 0L;
        int? whole = null;
        var errors = new Dictionary<string, IReadOnlyList<double>>();
        observer.Begin("corruptions", (long)corruptions.Count * severities.Count, "sets", evaluator.Before("corruption "));
        var sets = (from corruption in corruptions from severity in severities select (Corruption: corruption, Severity: severity, Name: $"{corruption.Name} {severity}")).ToList();
        var measured = evaluator.Each(
            [.. sets.Select(set => $"corruption {set.Name}")],
            i =>
            {
                var start = Stopwatch.GetTimestamp();
                var images = Images(sets[i].Corruption, sets[i].Severity);
                var (its, waiting) = evaluator.Classified(network, images, kept: null, new SilentObserver(), ProcessGroup.Alone);
                return new CorruptedSet(1 - its.Summary.Top1, images.Count, Stopwatch.GetElapsedTime(start).TotalSeconds, waiting);
            },
            (i, _) => observer.Advance(++done, sets[i].Name));
        foreach (var (corruption, its) in corruptions.Zip(measured.Chunk(severities.Count)))
        {
            errors.Add(corruption.Name, [.. its.Select(set => set.Error)]);
        }

        return new CorruptionSummary(
            measured[^1].Images,
            folder is null ? CorruptionSummary.Generated : settings.CorruptedImages,
            folder is null ? JsonNamingPolicy.CamelCase.ConvertName(SeverityTables.For(crop.Height, crop.Width).ToString()) : null,
            severities,
            1 - CorruptionSummary.Counted(errors).Average(one => one.Error),
            Mce: null,
            RelativeMce: null,
            Reference: null,
            errors,
            measured.Sum(set => set.Seconds),
            measured.Sum(set => set.Waited));

        Dataset Images(Corruption corruption, int severity)
        {
            if (folder is null)
            {
                return new CorruptedDataset(clean, crop, corruption, severity, recipe.Seed);
            }

            var all = folder.Images(corruption, severity, observer, evaluator.Stop);
            RequireSize(recipe, evaluator.Images, all.Width, all.Height);
            whole ??= all.Count;
            return all.Count == whole
                ? StratifiedSplit.Limit(StratifiedSplit.Limit(all, settings.Images, recipe.Seed), settings.CorruptionImages, recipe.Seed)
                : throw new InputException($"'{settings.CorruptedImages}' has {all.Count:n0} images of {corruption.Name} {severity}, but {whole:n0} of {corruptions[0].Name} {severities[0]}: copy, fetch or write them again.");
        }
    }
}
