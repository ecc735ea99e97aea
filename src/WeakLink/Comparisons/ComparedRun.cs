using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;

namespace WeakLink.Comparisons;

/// <summary>A finished run, as a comparison sees it.</summary>
/// <param name="Folder">Its run folder.</param>
/// <param name="Recipe">Its resolved recipe.</param>
/// <param name="Summary">What was measured.</param>
/// <param name="Epochs">Its learning curve; empty where the folder has none.</param>
/// <param name="Environment">What it ran on; null where the folder doesn't say.</param>
public sealed record ComparedRun(string Folder, Recipe Recipe, Summary Summary, IReadOnlyList<EpochMetrics> Epochs, EnvironmentReport? Environment)
{
    /// <summary>The seed.</summary>
    public long Seed => Summary.Seed;

    /// <summary>Images that it was trained on, each as often as it was seen; null where the folder doesn't say.</summary>
    public long? ImagesSeen => Epochs.Count > 0 ? ImagesSeenBy(Epochs[^1].Epoch) : null;

    /// <summary>The same to the end of an epoch.</summary>
    internal long ImagesSeenBy(int epoch) => (long)Math.Round(Epochs.TakeWhile(one => one.Epoch <= epoch).Sum(one => one.ImagesPerSecond * one.Seconds));

    /// <summary>Reads a run.</summary>
    /// <exception cref="InputException">There is none, or it is not finished.</exception>
    public static ComparedRun Read(string folder)
    {
        if (!RunFolder.IsRun(folder))
        {
            throw new InputException($"'{folder}' holds no run: give the folder of a run, or a recipe.");
        }

        return RunFolder.IsFinished(folder)
            ? new(folder, RunFolder.RecipeOf(folder), Summary.Read(folder), RunFolder.EpochsOf(folder), RunFolder.EnvironmentOf(folder))
            : throw new InputException($"The run in '{folder}' is not finished: resume it, or leave it out.");
    }
}
