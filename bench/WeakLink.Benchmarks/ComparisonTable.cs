using System.Globalization;
using System.Text.Json;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Training;

namespace WeakLink.Benchmarks;

/// <summary>
/// The paper's comparison at a size that two cores can train: without EWS, with it, with random subnets in place of searched ones,
/// and without it for as long as EWS takes. Every run stays in its folder; a table that was cut short goes on where it was.
/// </summary>
internal static class ComparisonTable
{
    private const string RecipePath = "recipes/cifar-small.yaml";

    // Of each corruption and severity: 75,000 images for each network.
    private const int CorruptedImages = 1000;

    private sealed record Arm(string Name, string Folder, params string[] Settings);

    private sealed record Row(Summary Summary, double? RandomRunning, double? WeakestRunning);

    public static void Run(string data, string output, int seeds)
    {
        Arm[] arms =
        [
            new("plain", "plain", "ews.search=off"),
            new("EWS, searched subnets", "policy", "ews.search=policy"),
            new("EWS, random subnets", "random", "ews.search=random"),
        ];
        var rows = arms.Select(arm => (arm, Results: Enumerable.Range(0, seeds).Select(seed => Measure(arm, data, output, seed)).ToList())).ToList();

        var epochs = rows[0].Results[0].Summary.Epochs;
        var equal = (int)Math.Round(epochs * Processor(rows[1].Results) / Processor(rows[0].Results));
        foreach (var arm in new[]
        {
            new Arm($"plain, {equal} epochs (the compute of EWS)", $"plain-{equal}", "ews.search=off", $"training.epochs={equal}"),
            new Arm("plain, fp32", "plain-fp32", "ews.search=off", "training.precision=fp32", "training.layout=contiguous"),
        })
        {
            rows.Add((arm, Enumerable.Range(0, seeds).Select(seed => Measure(arm, data, output, seed)).ToList()));
        }

        var first = rows[0].Results[0].Summary;
        Console.WriteLine(FormattableString.Invariant(
            $"{first.Data}, {first.Model}, {epochs} epochs, {first.Images:n0} test images, subnets of width {first.Subnets!.Width}: {first.Subnets.Random.Count} random and {first.Subnets.Proposed.Count} proposed ones of each model on {first.Subnets.Images:n0} test images; 15 corruptions in 5 severities on {first.Corruptions!.Images:n0} images each. Mean ± standard deviation over seeds 0 to {seeds - 1}, in percent.\n"));
        Console.WriteLine("| | clean | corrupted | NLL | random subnets, mean | weakest proposed | random, running statistics | weakest, running statistics | wall minutes | core minutes |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (arm, results) in rows)
        {
            Console.WriteLine("| " + string.Join(" | ", (string[])[
                arm.Name,
                Spread(results, row => 100 * row.Summary.Clean.Top1, 1),
                Spread(results, row => 100 * row.Summary.Corruptions!.Accuracy, 1),
                Spread(results, row => row.Summary.Clean.Nll, 3),
                Spread(results, row => 100 * row.Summary.Subnets!.Random.Mean, 1),
                Spread(results, row => 100 * row.Summary.Subnets!.Proposed.Min, 1),
                Spread(results, row => 100 * row.RandomRunning, 1),
                Spread(results, row => 100 * row.WeakestRunning, 1),
                Spread(results, row => row.Summary.Seconds.Train / 60, 1),
                Spread(results, row => row.Summary.Seconds.TrainProcessor / 60, 1),
            ]) + " |");
        }
    }

    private static double Processor(List<Row> rows) => rows.Average(row => row.Summary.Seconds.TrainProcessor);

    private static Row Measure(Arm arm, string data, string output, int seed)
    {
        var folder = Path.Combine(output, $"{arm.Folder}-{seed}");
        var result = Path.Combine(folder, "comparison.json");
        if (!File.Exists(result))
        {
            var observer = new Lines($"{arm.Name}, seed {seed}");
            // One format for all, not the one that wins today's timing.
            var recipe = RecipeFile.Load(RecipePath, ["training.precision=bf16", "training.layout=channels-last", $"evaluation.corruption-images={CorruptedImages}", .. arm.Settings, $"data.source={data}", $"seed={seed}"]);
            var summary = Experiment.Run(recipe, folder, RunFolder.IsRun(folder), observer);

            var running = arm.Folder is "plain" or "policy" ? WithRunningStatistics(folder, observer) : null;
            File.WriteAllText(result, JsonSerializer.Serialize(new Row(summary, running?.Random.Mean, running?.Proposed.Min), Json.Line));
        }

        return JsonSerializer.Deserialize<Row>(File.ReadAllText(result), Json.Line)!;
    }

    /// <summary>The same subnets with the full network's running statistics: what re-estimating them is worth.</summary>
    private static SubnetMetrics WithRunningStatistics(string folder, IRunObserver observer)
    {
        using var trained = TrainedModel.Load(folder, TorchSharp.torch.CPU);
        var recipe = trained.Recipe with { Evaluation = trained.Recipe.Evaluation with { RecalibrationImages = 0, Corruptions = EvaluationRecipe.None } };
        var splits = DataSources.Open(recipe.Data, recipe.Seed, observer);
        return ModelMetrics.Measure(trained.Network, recipe, splits.Test, splits.Train, TorchSharp.torch.CPU, observer, CancellationToken.None).Subnets!;
    }

    private static string Spread(List<Row> rows, Func<Row, double?> value, int digits)
    {
        var values = rows.Select(value).OfType<double>().ToList();
        if (values.Count == 0)
        {
            return "";
        }

        var mean = values.Average();
        var deviation = values.Count < 2 ? 0 : Math.Sqrt(values.Sum(x => (x - mean) * (x - mean)) / (values.Count - 1));
        var format = "F" + digits.ToString(CultureInfo.InvariantCulture);
        return $"{mean.ToString(format, CultureInfo.InvariantCulture)} ± {deviation.ToString(format, CultureInfo.InvariantCulture)}";
    }

    /// <summary>Epochs as plain lines on standard error: the table is alone on standard output.</summary>
    private sealed class Lines(string run) : IRunObserver
    {
        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics) => Console.Error.WriteLine(FormattableString.Invariant(
            $"{DateTime.Now:HH:mm:ss} {run}: epoch {metrics.Epoch}, train {metrics.TrainTop1:p1}, valid {metrics.ValidationTop1:p1}, {metrics.ImagesPerSecond:n0} images/s"));

        public void Note(string sentence) => Console.Error.WriteLine($"{run}: {sentence}");
    }
}
