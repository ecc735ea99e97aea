using System.Globalization;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Runs;

namespace WeakLink.Comparisons;

/// <summary>Which way of a number is good.</summary>
public enum Better
{
    /// <summary>More.</summary>
    Higher,

    /// <summary>Less.</summary>
    Lower,
}

/// <summary>What a metric says of a network.</summary>
public enum MetricKind
{
    /// <summary>How good it is.</summary>
    Quality,

    /// <summary>How good it is under one corruption.</summary>
    Corruption,

    /// <summary>What it took to train.</summary>
    Cost,
}

/// <summary>A number that arms are compared by.</summary>
/// <param name="Key">As summary.json calls it, such as <c>clean.top1</c>; <c>subnets.weakest</c> the smaller of two numbers there, <c>corruptions.accuracy.fog</c> under one corruption.</param>
/// <param name="Title">For people.</param>
/// <param name="Kind">What it says of a network.</param>
/// <param name="Better">Which way is good.</param>
/// <param name="Scale">What a value is multiplied with to be shown: 100 for rates in percent.</param>
/// <param name="Digits">Digits after the point when it is shown.</param>
/// <param name="Value">The number of a run; null where it was not measured.</param>
public sealed record Metric(string Key, string Title, MetricKind Kind, Better Better, double Scale, int Digits, Func<Summary, double?> Value)
{
    private const string PercentSuffix = ", %";

    /// <summary>Accuracy on the images as they are.</summary>
    public static Metric Clean { get; } = Rate("clean.top1", "clean top-1, %", run => run.Clean.Top1);

    /// <summary>Accuracy under common corruptions.</summary>
    public static Metric Corrupted { get; } = Rate("corruptions.accuracy", "corrupted accuracy, %", run => run.Corruptions?.Accuracy);

    /// <summary>The same under the corruptions that are noise.</summary>
    public static Metric Noises { get; } = Of(noise: true);

    /// <summary>The same under the corruptions that are not: what helps against noise need not help there.</summary>
    public static Metric OtherCorruptions { get; } = Of(noise: false);

    /// <summary>Negative log-likelihood on the images as they are.</summary>
    public static Metric Nll { get; } = new("clean.nll", "NLL", MetricKind.Quality, Better.Lower, 1, 3, run => run.Clean.Nll);

    /// <summary>Expected calibration error on the images as they are.</summary>
    public static Metric Ece { get; } = Rate("clean.ece", "ECE, %", run => run.Clean.Ece) with { Better = Better.Lower };

    /// <summary>Mean accuracy of random subnets.</summary>
    public static Metric RandomSubnets { get; } = Rate("subnets.random.mean", "random subnets, %", run => run.Subnets?.Random.Mean);

    /// <summary>Accuracy of the weakest subnet that was measured: of those that a search proposed, or a random one where none of these is as weak.</summary>
    public static Metric WeakestSubnet { get; } = Rate("subnets.weakest", "weakest subnet, %", run => run.Subnets?.Weakest);

    /// <summary>Wall-clock time of training.</summary>
    public static Metric TrainMinutes { get; } = Minutes("seconds.train", "training, minutes", run => run.Seconds.Train);

    /// <summary>Processor time of training, over all cores.</summary>
    public static Metric TrainCoreMinutes { get; } = Minutes("seconds.trainProcessor", "training, core minutes", run => run.Seconds.TrainProcessor);

    private static Metric Flips { get; } = Rate("stability.flipProbability", "flips, %", run => run.Perturbations?.FlipProbability) with { Better = Better.Lower };

    /// <summary>Robust accuracy under an attack.</summary>
    /// <param name="attack">The attack's name.</param>
    /// <param name="norm">The norm's name.</param>
    /// <param name="eps">The largest perturbation, in units of [0, 1].</param>
    /// <param name="oneOfSeveral">Whether other sizes are compared too, so that the key has to say which.</param>
    public static Metric Robust(string attack, string norm, double eps, bool oneOfSeveral = false) => Rate(
        FormattableString.Invariant($"attacks.{attack}.{norm}.accuracy{(oneOfSeveral ? $"@{eps:g4}" : "")}"),
        $"robust: {attack} {new ThreatModel(KnownAttacks.NormNamed(norm), eps)}, %",
        run => run.Attacks?.GetValueOrDefault(attack)?.GetValueOrDefault(norm) is { } robust && robust.Eps == eps ? robust.Accuracy : null);

    /// <summary>Accuracy under one corruption, over the severities.</summary>
    public static Metric Under(string corruption) => Rate($"corruptions.accuracy.{corruption}", corruption, run => run.Corruptions?.Error.GetValueOrDefault(corruption) is { } errors ? 1 - errors.Average() : null) with
    {
        Kind = MetricKind.Corruption,
    };

    /// <summary>Everything that at least one of the runs was measured by: quality, then corruption by corruption, then cost.</summary>
    public static IReadOnlyList<Metric> Of(IReadOnlyList<Summary> runs)
    {
        var attacks =
            from run in runs
            from attack in run.Attacks ?? new Dictionary<string, IReadOnlyDictionary<string, RobustSummary>>()
            from norm in attack.Value
            select (attack.Key, Norm: norm.Key, norm.Value.Eps);
        // Where one attack was measured in several sizes, these are different things.
        var sizes = attacks.Distinct().ToLookup(attack => (attack.Key, attack.Norm), attack => attack.Eps);
        var corruptions = runs.SelectMany(run => run.Corruptions?.Error.Keys ?? []).Distinct();
        Metric[] all =
        [
            Clean, Nll, Ece, Corrupted, Noises, OtherCorruptions,
            .. sizes.SelectMany(attack => attack.Select(eps => Robust(attack.Key.Key, attack.Key.Norm, eps, oneOfSeveral: attack.Count() > 1))),
            Flips, RandomSubnets, WeakestSubnet,
            .. corruptions.Select(Under),
            TrainMinutes, TrainCoreMinutes,
        ];
        return [.. all.Where(metric => runs.Any(run => metric.Value(run) is not null))];
    }

    /// <summary>The title without its unit, for sentences.</summary>
    public string Name => Title.EndsWith(PercentSuffix, StringComparison.Ordinal) ? Title[..^PercentSuffix.Length] : Title;

    /// <summary>A value for people.</summary>
    public string Show(double value) => (value * Scale).ToString("F" + Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>A mean with its standard deviation for people.</summary>
    public string Show(Spread? spread) => spread is null ? ""
        : spread.StandardDeviation is { } deviation ? $"{Show(spread.Mean)} ± {Show(deviation)}" : Show(spread.Mean);

    /// <summary>A difference for people, with its sign.</summary>
    public string ShowDifference(double difference)
    {
        var text = Signed(difference);
        return difference > 0 && text != Show(0) ? "+" + text : text;
    }

    /// <summary>An interval for people; empty where there is none.</summary>
    public string ShowInterval(Difference? difference) =>
        difference is { Low: { } low, High: { } high } ? $"[{Signed(low)}, {Signed(high)}]" : "";

    /// <summary>A difference and its interval for people; empty where there is none.</summary>
    public string ShowWithInterval(Difference? difference) =>
        difference is null ? "" : $"{ShowDifference(difference.Mean)} {ShowInterval(difference)}".TrimEnd();

    // No minus in front of what is shown as 0.
    private string Signed(double value) => value < 0 && Show(-value) != Show(0) ? "−" + Show(-value) : Show(Math.Abs(value));

    // A folder may hold corruptions of the user's own.
    private static bool IsNoise(string corruption) => CommonCorruptions.All.Any(known => known.Name == corruption && known.Group == CorruptionGroup.Noise);

    // Null where only corruptions of the other sort were measured: that would be the mean once more.
    private static Metric Of(bool noise) => Rate($"corruptions.{(noise ? "noises" : "others")}", noise ? "under noises, %" : "under other corruptions, %", run =>
    {
        if (run.Corruptions is null)
        {
            return null;
        }

        var each = CorruptionSummary.Counted(run.Corruptions.Error).ToLookup(one => IsNoise(one.Corruption), one => 1 - one.Error);
        return each.Count > 1 ? each[noise].Average() : null;
    });

    private static Metric Rate(string key, string title, Func<Summary, double?> value) => new(key, title, MetricKind.Quality, Better.Higher, 100, 1, value);

    private static Metric Minutes(string key, string title, Func<Summary, double?> value) => new(key, title, MetricKind.Cost, Better.Lower, 1.0 / 60, 2, value);
}
