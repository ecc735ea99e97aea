using System.Globalization;
using System.Text.Json;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Recipes;

namespace WeakLink.Comparisons;

/// <summary>Arms side by side, each against the baseline.</summary>
public sealed class Comparison
{
    // Seconds of two runs of the same thing differ by this much.
    private const double SameCost = 0.1;

    // Of a fingerprint: enough to tell a few apart.
    private const int ShownDigits = 8;

    private readonly IReadOnlyList<string> _choices;

    private Comparison(IReadOnlyList<ComparedArm> arms, ComparedArm baseline, IReadOnlyList<string> choices)
    {
        (Arms, Baseline, _choices) = (arms, baseline, choices);
        Metrics = Metric.Of([.. arms.SelectMany(arm => arm.Runs).Select(run => run.Summary)]);
    }

    /// <summary>The arms, in the order they were named.</summary>
    public IReadOnlyList<ComparedArm> Arms { get; }

    /// <summary>The arm that the others are compared with.</summary>
    public ComparedArm Baseline { get; }

    /// <summary>The arms but the baseline.</summary>
    public IEnumerable<ComparedArm> Others => Arms.Where(arm => arm != Baseline);

    /// <summary>What at least one run was measured by.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>Compares arms.</summary>
    /// <param name="arms">The arms.</param>
    /// <param name="baseline">The name of the one that the others are compared with; null: the first.</param>
    /// <param name="choices">How arms were chosen before they were compared, a sentence each.</param>
    /// <exception cref="InputException">No arm has this name, or two arms have one name.</exception>
    public static Comparison Of(IReadOnlyList<ComparedArm> arms, string? baseline = null, IReadOnlyList<string>? choices = null)
    {
        CheckNames([.. arms.Select(arm => arm.Name)], baseline);
        return new(arms, baseline is null ? arms[0] : arms.Single(arm => arm.Name == baseline), choices ?? []);
    }

    /// <summary>Refuses names that can't be compared, before anything long begins.</summary>
    /// <param name="arms">Names of the arms.</param>
    /// <param name="baseline">The name of the baseline; null: the first.</param>
    /// <exception cref="InputException">No arm has this name, or two arms have one name.</exception>
    public static void CheckNames(IReadOnlyList<string> arms, string? baseline)
    {
        if (arms.CountBy(name => name).FirstOrDefault(name => name.Value > 1) is { Key: { } twice })
        {
            throw new InputException($"Two arms are called '{twice}': give them names, as in NAME=...");
        }

        if (baseline is not null && !arms.Contains(baseline))
        {
            throw new InputException($"There is no '{baseline}' to compare with: choose {string.Join(", ", arms.Select(name => $"'{name}'"))}.");
        }
    }

    /// <summary>By how much an arm differs from the baseline; null where one of them was not measured by it.</summary>
    public Difference? Difference(ComparedArm arm, Metric metric) => Comparisons.Difference.Between(arm.Values(metric), Baseline.Values(metric));

    /// <summary>An arm's training compute relative to the baseline's: processor time, or wall-clock time where a GPU did the work.</summary>
    public double? ComputeRatio(ComparedArm arm) => arm.Spread(Compute)?.Mean / Baseline.Spread(Compute)?.Mean;

    /// <summary>Training images that an arm saw, each as often as it saw it; null where the runs don't say.</summary>
    public static double? ImagesSeen(ComparedArm arm) => arm.Runs.Average(run => run.ImagesSeen);

    /// <summary>What an interval says: better, worse, or that it includes 0; of costs more or less. Empty where there is no interval.</summary>
    public static string Reading(Metric metric, Difference? difference) => difference switch
    {
        null or { HalfWidth: null } => "",
        { IncludesZero: true } => "includes 0",
        _ when metric.Kind == MetricKind.Cost => difference.Mean > 0 ? "more" : "less",
        _ => difference.Mean > 0 == (metric.Better == Better.Higher) ? "better" : "worse",
    };

    /// <summary>What the intervals say, a sentence for each arm but the baseline.</summary>
    public IReadOnlyList<string> Findings() => [.. Others.Select(Finding).OfType<string>()];

    /// <summary>What a fair reader has to know of the comparison: how arms were chosen, budgets, compute, what was measured in another way.</summary>
    public IReadOnlyList<string> Notes() => [.. _choices, .. Seeds(), .. Budgets(), .. Circumstances()];

    /// <summary>The JSON document: rates are fractions of 1, times seconds.</summary>
    /// <param name="command">The command that made it.</param>
    public string ToJson(string command) => JsonSerializer.Serialize(
        new
        {
            Command = command,
            Baseline = Baseline.Name,
            Comparisons.Difference.Confidence,
            Arms = Arms.Select((arm, index) => new
            {
                arm.Name,
                arm.Seeds,
                ImagesSeen = ImagesSeen(arm),
                ComputeRatio = ComputeRatio(arm),
                Recipe = DifferingKeys().ToDictionary(key => key.Key, key => key.Values[index]),
                Metrics = Metrics.Where(metric => arm.Spread(metric) is not null).ToDictionary(metric => metric.Key, metric => arm.Spread(metric)),
                Runs = arm.Runs.Select(run => new
                {
                    run.Seed,
                    run.Folder,
                    Metrics = Metrics.Where(metric => metric.Value(run.Summary) is not null).ToDictionary(metric => metric.Key, metric => metric.Value(run.Summary)),
                }),
            }),
            Differences = from arm in Others
                          from metric in Metrics
                          let difference = Difference(arm, metric)
                          where difference is not null
                          select new
                          {
                              Arm = arm.Name,
                              Metric = metric.Key,
                              difference.Mean,
                              difference.Low,
                              difference.High,
                              difference.IncludesZero,
                              Method = difference.Method.ToString().ToLowerInvariant(),
                              difference.Seeds,
                          },
            Findings = Findings(),
            Notes = Notes(),
        },
        Json.Indented);

    /// <summary>The recipe keys in which arms differ, with the arms' values in their order.</summary>
    public IReadOnlyList<(string Key, IReadOnlyList<string> Values)> DifferingKeys() => RecipeDifferences.Between([.. Arms.Select(arm => arm.Runs[0].Recipe)]);

    // A GPU's work is not in the processor's time.
    private Metric Compute => Arms.SelectMany(arm => arm.Runs).All(run => run.Environment?.Device is null or "cpu") ? Metric.TrainCoreMinutes : Metric.TrainMinutes;

    private string? Finding(ComparedArm arm)
    {
        var read = Metrics.Where(metric => metric.Kind == MetricKind.Quality).Select(metric => (metric.Name, Difference: Difference(arm, metric), Reading: Reading(metric, Difference(arm, metric)))).Where(one => one.Reading.Length > 0).ToList();
        if (read.Count == 0)
        {
            return null;
        }

        var how = read[0].Difference is { Method: IntervalMethod.Paired, Seeds: var seeds } ? $"paired over seeds {List(seeds)}" : "seeds not shared";
        string[] parts =
        [
            .. Part("better", "better in "),
            .. Part("worse", "worse in "),
            .. Part("includes 0", "not told apart (the interval includes 0) in "),
        ];
        return $"{arm.Name} against {Baseline.Name}, {how}: {string.Join("; ", parts)}.";

        IEnumerable<string> Part(string reading, string words)
        {
            var names = read.Where(one => one.Reading == reading).Select(one => one.Name).ToList();
            return names.Count > 0 ? [words + string.Join(", ", names)] : [];
        }
    }

    private IEnumerable<string> Seeds()
    {
        if (Arms.Count > 1 && !Others.SelectMany(arm => Metrics.Select(metric => Difference(arm, metric))).Any(difference => difference?.HalfWidth is not null))
        {
            yield return "One seed can't tell a difference from luck, so there are no intervals: compare at least two seeds, better three.";
        }

        foreach (var arm in Others)
        {
            var (own, its) = (arm.Seeds.Except(Baseline.Seeds).Order().ToList(), Baseline.Seeds.Except(arm.Seeds).Order().ToList());
            if (arm.Seeds.Intersect(Baseline.Seeds).Count() > 1 && own.Count + its.Count > 0)
            {
                yield return $"The differences of {arm.Name} are paired over the seeds that it shares with {Baseline.Name}; {string.Join(" and ", new[] { (own, arm), (its, Baseline) }.Where(left => left.Item1.Count > 0).Select(left => $"seed {List(left.Item1)} of {left.Item2.Name}"))} count in the means alone.";
            }
        }
    }

    private IEnumerable<string> Budgets() => Others.Select(Budget).OfType<string>();

    private string? Budget(ComparedArm arm)
    {
        var images = ImagesSeen(arm) is { } own && ImagesSeen(Baseline) is { } its && own != its
            ? FormattableString.Invariant($"{arm.Name} saw {own:n0} images in training, {Baseline.Name} {its:n0}") : null;
        var compute = ComputeRatio(arm) is { } known ? known : double.NaN;
        var minutes = double.IsNaN(compute) ? ""
            : $"({Compute.Show(arm.Spread(Compute)!.Mean)} and {Compute.Show(Baseline.Spread(Compute)!.Mean)} {(Compute == Metric.TrainCoreMinutes ? "core minutes" : "minutes")})";
        var same = Math.Abs(compute - 1) <= SameCost;
        return (images, same) switch
        {
            (null, true) => null,
            (null, false) when double.IsNaN(compute) => null,
            (null, false) => FormattableString.Invariant($"{arm.Name} took {compute:0.00} times the training compute of {Baseline.Name} {minutes}.")
                + (compute > 1 && !Arms.Any(other => other != arm && ComputeRatio(other) / compute is > 0.8 and < 1.25)
                    ? $" An arm that gives {Baseline.Name} more training.epochs would tell what equal compute does." : ""),
            (_, true) => $"{images}, at equal compute {minutes}.",
            _ => images + (double.IsNaN(compute) ? "" : FormattableString.Invariant($", and took {compute:0.00} times its training compute {minutes}")) + ": the budgets differ, and part of the difference may be theirs.",
        };
    }

    private IEnumerable<string> Circumstances()
    {
        var differingData = DifferingData();
        string?[] notes =
        [
            differingData ?? UncheckedData(),
            Differing("Test images differ", run => FormattableString.Invariant($"{run.Summary.Images:n0}"), "the arms were not measured on the same") ?? (differingData is null ? DifferingTestImages() : null),
            .. Warnings(),
            Differing(
                "The weights that training began with differ",
                run => run.Recipe.Model is { Weights.Length: > 0 } began ? $"{Path.GetFileName(began.Weights)} {began.WeightsChecksum[..Math.Min(ShownDigits, began.WeightsChecksum.Length)]}".TrimEnd() : "none",
                "part of the difference may be theirs"),
            Differing("Corruptions were measured in different ways", run => run.Summary.Corruptions is { } measured ? Measured(measured) : null, "corrupted accuracies are not quite comparable"),
            Differing(
                "Attacks were measured on different numbers of images",
                run => run.Summary.Attacks is { } attacks ? string.Join(", ", attacks.SelectMany(attack => attack.Value.Select(norm => FormattableString.Invariant($"{attack.Key} {norm.Key} {norm.Value.Images:n0}")))) : null,
                "robust accuracies are not quite comparable"),
            Differing(
                "Subnets were measured in different ways",
                run => run.Summary.Subnets is { } s
                    ? FormattableString.Invariant($"width {s.Width}, {s.Images:n0} images, {s.Proposed.Count} proposed after a search of {run.Recipe.Evaluation.SearchUpdates} steps, {(s.Recalibrated > 0 ? $"statistics of {s.Recalibrated:n0} images" : "the full network's statistics")}") : null,
                "smaller subnets are weaker ones, and so are those with the full network's statistics; equal evaluation.* settings make them comparable"),
            Differing("Number formats differ", run => run.Summary.Format, "training.precision and training.layout decide them"),
            Differing(
                "Machines differ", run => run.Environment is { } e ? $"{e.Processor}, {e.Cores} cores, {e.Device}" : null, "times of different machines can't be compared"),
            Differing("Versions differ", run => run.Environment is { } e ? $"WeakLink {e.WeakLink}, libtorch {e.Libtorch}" : null, "the same recipe may give other weights"),
        ];
        return notes.OfType<string>();
    }

    // With the corruptions by name that not all runs were measured by.
    private string Measured(CorruptionSummary its)
    {
        var all = Arms.SelectMany(arm => arm.Runs).Select(run => run.Summary.Corruptions?.Error.Keys).OfType<IEnumerable<string>>().ToList();
        var own = its.Error.Keys.Where(name => !all.TrueForAll(names => names.Contains(name))).ToList();
        return FormattableString.Invariant(
            $"{its.Images:n0} images of {its.Error.Count} corruptions{(own.Count > 0 ? $" ({string.Join(", ", own)} among them)" : "")} in severities {string.Join(", ", its.Severities ?? Corruption.AllSeverities)}, {its.Table ?? its.Source}");
    }

    // By their pixels where the runs say; a limit takes other images with every seed.
    private string? DifferingData()
    {
        var runs = Arms.SelectMany(arm => arm.Runs).ToList();
        static string Name(ComparedRun run) => Path.GetFileName(Path.TrimEndingDirectorySeparator(run.Recipe.Data.Source));
        if (runs.Any(run => run.Summary.DataFingerprint is null))
        {
            return Differing("The data differ", Name, "the arms' numbers can't be compared")
                ?? (runs.Any(run => run.Summary.DataFingerprint is not null) ? "Some runs are of an older version, which kept the name of the data alone: whether all were trained on the same images can't be checked." : null);
        }

        return runs.GroupBy(Drawn).Any(alike => alike.Select(run => run.Summary.DataFingerprint).Distinct().Count() > 1)
            ? Differing("The data differ", run => $"{Name(run)}, images {run.Summary.DataFingerprint![..ShownDigits]}", "the arms' numbers can't be compared")
            : null;
    }

    // Not to be told apart is not to be the same.
    private string? UncheckedData()
    {
        var apart = Others.Where(arm => !arm.Runs.Select(Drawn).Intersect(Baseline.Runs.Select(Drawn)).Any()).Select(arm => arm.Name).ToList();
        return apart.Count > 0
            ? $"Whether {string.Join(", ", apart)} and {Baseline.Name} are of the same data can't be checked: data.limit takes other images with every seed, and they have no seed with the same limit in common."
            : null;
    }

    // What runs of the same data have to agree in so that their images are the same.
    private static (int Limit, long Seed) Drawn(ComparedRun run) => run.Recipe.Data.Limit is > 0 and var limit ? (limit, run.Seed) : (0, 0);

    // Each seed may hold out other images.
    private string? DifferingTestImages()
    {
        var differing = Arms.SelectMany(arm => arm.Runs).GroupBy(run => run.Seed)
            .Where(alike => alike.Select(run => run.Summary.Fingerprint).OfType<string>().Distinct().Count() > 1).Select(alike => alike.Key).Order().ToList();
        return differing.Count > 0
            ? $"Test images differ (seed {List(differing)}: as many, but not the same): the arms were not measured on the same."
            : null;
    }

    private IEnumerable<string> Warnings() =>
        from warned in Arms.SelectMany(arm => arm.Runs.SelectMany(run => (run.Summary.Warnings ?? []).Select(warning => (Arm: arm.Name, run.Seed, Warning: warning))))
        group warned by warned.Warning into same
        select $"{string.Join("; ", same.GroupBy(one => one.Arm).Select(arm => $"{arm.Key}, seed {List(arm.Select(one => one.Seed))}"))}: {same.Key}";

    private string? Differing(string what, Func<ComparedRun, string?> of, string consequence)
    {
        var values = Arms.Select(arm => (arm.Name, Values: arm.Runs.Select(of).OfType<string>().Distinct().ToList())).Where(arm => arm.Values.Count > 0).ToList();
        return values.SelectMany(arm => arm.Values).Distinct().Count() > 1
            ? $"{what} ({string.Join("; ", values.GroupBy(arm => string.Join(" or ", arm.Values)).Select(alike => $"{string.Join(", ", alike.Select(arm => arm.Name))}: {alike.Key}"))}): {consequence}."
            : null;
    }

    private static string List(IEnumerable<long> seeds) => string.Join(", ", seeds.Select(seed => seed.ToString(CultureInfo.InvariantCulture)));
}
