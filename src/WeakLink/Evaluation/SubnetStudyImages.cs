using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>Which images a subnet study measures on.</summary>
public sealed record SubnetStudyImagesOptions
{
    /// <summary>Test images, every class in its share; 0: all.</summary>
    public int Limit { get; init; } = 300;

    /// <summary>Corruptions of them; empty: none.</summary>
    public IReadOnlyList<Corruption> Corruptions { get; init; } = [];

    /// <summary>Severities of every corruption.</summary>
    public IReadOnlyList<int> Severities { get; init; } = [];

    /// <summary>Images of the test images that are attacked; 0: none.</summary>
    public int AttackLimit { get; init; } = 100;

    /// <summary>Training images on which a subnet's batch-norm statistics are re-estimated; 0: the full network's running averages.</summary>
    public int RecalibrationImages { get; init; } = 1024;

    /// <summary>Whether a search needs training images for its reward.</summary>
    public bool Search { get; init; } = true;

    /// <summary>Decides which images, and the draws of the corruptions.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// The images of a subnet study, made once and held in memory as bytes: every subnet of every network sees the same ones, and a
/// corruption costs its time only once.
/// </summary>
public sealed class SubnetStudyImages : IDisposable
{
    private SubnetStudyImages()
    {
    }

    /// <summary>The test images as they are.</summary>
    public required IReadOnlyList<Batch> Clean { get; init; }

    /// <summary>The same images for each corruption and severity.</summary>
    public required IReadOnlyList<IReadOnlyList<Batch>> Corrupted { get; init; }

    /// <summary>Those that are attacked.</summary>
    public required IReadOnlyList<Batch> Attacked { get; init; }

    /// <summary>Training images for the statistics.</summary>
    public required IReadOnlyList<Batch> Recalibration { get; init; }

    /// <summary>Training images for a search's reward.</summary>
    public required IReadOnlyList<Batch> Reward { get; init; }

    /// <summary>Prepares the images.</summary>
    /// <param name="recipe">How images are cropped, and how large batches are.</param>
    /// <param name="test">Test images.</param>
    /// <param name="training">Training images.</param>
    /// <param name="options">Which.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">The recipe asks for the impossible, or they don't fit into its memory for images.</exception>
    public static SubnetStudyImages Create(
        Recipe recipe, Dataset test, Dataset training, SubnetStudyImagesOptions options, IRunObserver observer, CancellationToken stop = default)
    {
        RecipeCheck.Check(recipe);
        var clean = StratifiedSplit.Limit(test, options.Limit, options.Seed);
        var crop = Loaders.MeasuringCrop(recipe, test);
        var sets = (from corruption in options.Corruptions from severity in options.Severities select (corruption, severity)).ToList();
        var mebibytes = ((long)(sets.Count + 1) * clean.Count * crop.Bytes) >> 20;
        if (mebibytes > recipe.Data.CacheMegabytes)
        {
            throw new InputException($"{sets.Count} times {clean.Count:n0} corrupted images take {mebibytes:n0} MiB of memory, more than data.cache-megabytes allows ({recipe.Data.CacheMegabytes:n0}): take fewer images, corruptions or severities.");
        }

        List<Batch> InOrder(Dataset images) => [.. Loaders.Measuring(recipe, images).InOrder().Select(batch =>
        {
            stop.ThrowIfCancellationRequested();
            return batch;
        })];
        var corrupted = new List<IReadOnlyList<Batch>>();
        observer.Begin("corrupting", (long)sets.Count * clean.Count, "images");
        foreach (var (corruption, severity) in sets)
        {
            corrupted.Add(InOrder(new CorruptedDataset(clean, crop, corruption, severity, options.Seed)));
            observer.Advance((long)corrupted.Count * clean.Count, $"{corruption.Name} {severity}");
        }

        var recalibrating = Loaders.Recalibrating(recipe, training);
        return new SubnetStudyImages
        {
            Clean = InOrder(clean),
            Corrupted = corrupted,
            Attacked = options.AttackLimit > 0 ? InOrder(StratifiedSplit.Limit(clean, options.AttackLimit, options.Seed)) : [],
            Recalibration = SubnetEvaluation.Batches(recalibrating, options.RecalibrationImages, options.Seed),
            Reward = options.Search ? SubnetEvaluation.Batches(recalibrating, SubnetEvaluation.RewardImages, options.Seed) : [],
        };
    }

    /// <summary>Images in some batches.</summary>
    public static int Count(IReadOnlyList<Batch> batches) => batches.Sum(batch => (int)batch.Labels.shape[0]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var batch in Clean.Concat(Corrupted.SelectMany(set => set)).Concat(Attacked).Concat(Recalibration).Concat(Reward))
        {
            batch.Dispose();
        }
    }
}
