using System.Text.Json;
using WeakLink.Comparisons;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Tests.Comparisons;

/// <summary>Finished runs that nobody trained.</summary>
internal static class MadeRuns
{
    public static Summary Summary(long seed, double top1, double trainSeconds = 60) => new()
    {
        Data = "shapes",
        Model = "resnet8",
        Seed = seed,
        Ews = "off",
        Images = 100,
        Parameters = 1,
        Epochs = 2,
        Format = "fp32 contiguous",
        Clean = new CleanSummary(top1, 1, 1 - top1, 0.01),
        Corruptions = new CorruptionSummary(100, "generated", "cifar", [1, 2], top1 - 0.1, null, null, null, new Dictionary<string, IReadOnlyList<double>> { ["fog"] = [1.1 - top1, 1.1 - top1] }, 1, 1),
        Seconds = new SecondsSummary(trainSeconds, 1, trainSeconds),
    };

    public static ComparedRun Run(long seed, double top1, Recipe? recipe = null, double trainSeconds = 60, long step = 20) => new(
        $"run-{seed}", (recipe ?? new Recipe()) with { Seed = seed }, Summary(seed, top1, trainSeconds), [Epoch(1, step / 2, step / 2), Epoch(2, step, step / 2)], null);

    /// <summary>Writes a run folder.</summary>
    public static string Write(string folder, Recipe recipe, double top1 = 0.5)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "recipe.yaml"), RecipeFile.ToYaml(recipe));
        File.WriteAllText(Path.Combine(folder, "summary.json"), Summary(recipe.Seed, top1).ToJson());
        File.WriteAllText(Path.Combine(folder, "metrics.jsonl"), JsonSerializer.Serialize(Epoch(1, 20, 20), Json.Line) + "\n");
        return folder;
    }

    // A second long.
    private static EpochMetrics Epoch(int epoch, long step, long steps) => new(epoch, step, 0.1, 1, 0, 0.5, 0.4 + (0.1 * epoch), 1, null, 1, steps * new TrainingRecipe().Batch, 0);
}
