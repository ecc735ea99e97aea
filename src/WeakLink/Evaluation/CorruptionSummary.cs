using System.Text.Json.Serialization;
using WeakLink.Corruptions;

namespace WeakLink.Evaluation;

/// <summary>Errors under common corruptions.</summary>
/// <param name="Images">Images each corruption and severity was measured on.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="Table">Which severities were generated: cifar, tinyImageNet or imageNet; null for a folder.</param>
/// <param name="Severities">The severities that were measured: all five, unless a folder holds fewer; null in summaries of older versions: all.</param>
/// <param name="Accuracy">Mean accuracy over the benchmark's corruptions and the severities.</param>
/// <param name="Mce">Mean corruption error relative to a reference model; null without one, or where that has no errors.</param>
/// <param name="RelativeMce">The same of the errors above the clean one.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Error">Error by corruption, one for each of the severities.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record CorruptionSummary(
    [property: Limits(0, int.MaxValue)] int Images,
    string Source,
    string? Table,
    [property: Limits(1, Corruption.Severities, NotEmpty = true)] IReadOnlyList<int>? Severities,
    [property: Limits(0, 1)] double Accuracy,
    [property: Limits(0, double.MaxValue)] double? Mce,
    double? RelativeMce,
    string? Reference,
    [property: Limits(0, 1, NotEmpty = true)] IReadOnlyDictionary<string, IReadOnlyList<double>> Error,
    [property: Limits(0, double.MaxValue)] double Seconds,
    [property: Limits(0, double.MaxValue)] double WaitedSeconds)
{
    /// <summary>The source of images that were corrupted for the measurement.</summary>
    internal const string Generated = "generated";

    private static readonly HashSet<string> Benchmark = [.. CommonCorruptions.Benchmark.Select(corruption => corruption.Name)];

    /// <summary>What the means lack of the benchmark's, in a sentence; null where they are over its 15 corruptions in all five severities.</summary>
    [JsonIgnore]
    public string? Lacks
    {
        get
        {
            var (known, severities) = (Error.Keys.Count(Benchmark.Contains), Severities ?? Corruption.AllSeverities);
            string?[] parts =
            [
                known == 0 ? "corruptions that are none of the benchmark's" : known < Benchmark.Count ? $"{known} of the {Benchmark.Count} common corruptions" : null,
                severities.Count < Corruption.Severities ? $"severities {string.Join(", ", severities)}" : null,
            ];
            var less = string.Join(" and over ", parts.OfType<string>());
            return less.Length == 0 ? null : $"These means are over {less} only: they can't be compared with those over all {Benchmark.Count} in five severities.";
        }
    }

    /// <summary>The corruptions that means are taken over, each with its mean error: the benchmark's 15 where any of them was measured, else all that were.</summary>
    /// <param name="errors">Errors by corruption.</param>
    internal static IReadOnlyList<(string Corruption, double Error)> Counted(IReadOnlyDictionary<string, IReadOnlyList<double>> errors) =>
        [.. Counted([.. errors.Keys]).Select(name => (name, errors[name].Average()))];

    /// <summary>Their names.</summary>
    internal static IReadOnlyList<string> Counted(IReadOnlyList<string> measured) => [.. measured.Where(name => Benchmark.Contains(name) || !measured.Any(Benchmark.Contains))];
}
