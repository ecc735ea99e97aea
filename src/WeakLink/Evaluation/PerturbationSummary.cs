using WeakLink.Perturbations;

namespace WeakLink.Evaluation;

/// <summary>Stability under perturbation sequences.</summary>
/// <param name="Sequences">Sequences measured of each perturbation.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="FlipProbability">Mean over the benchmark's perturbations: how often the prediction changes from frame to frame.</param>
/// <param name="Top5Distance">Mean over them: how much the five best classes change.</param>
/// <param name="Mfr">Mean flip rate relative to a reference model; null without one.</param>
/// <param name="Mt5d">Mean top-5 distance relative to it.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Flips">Flip probability by perturbation (see <see cref="StabilityMeter.FlipProbability"/>).</param>
/// <param name="Distances">Top-5 distance by perturbation (see <see cref="StabilityMeter.Top5Distance"/>).</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record PerturbationSummary(
    [property: Limits(0, int.MaxValue)] int Sequences,
    string Source,
    [property: Limits(0, 1)] double FlipProbability,
    [property: Limits(0, double.MaxValue)] double Top5Distance,
    [property: Limits(0, double.MaxValue)] double? Mfr,
    [property: Limits(0, double.MaxValue)] double? Mt5d,
    string? Reference,
    [property: Limits(0, 1, NotEmpty = true)] IReadOnlyDictionary<string, double> Flips,
    [property: Limits(0, double.MaxValue, NotEmpty = true)] IReadOnlyDictionary<string, double> Distances,
    [property: Limits(0, double.MaxValue)] double Seconds,
    [property: Limits(0, double.MaxValue)] double WaitedSeconds)
{
    private static readonly HashSet<string> Benchmark = [.. CommonPerturbations.Benchmark.Select(perturbation => perturbation.Name)];

    /// <summary>The same measurement beside a reference model's, which was measured under these perturbations, too.</summary>
    /// <param name="reference">The reference model's stability.</param>
    /// <param name="name">The reference model's name.</param>
    public PerturbationSummary RelativeTo(PerturbationSummary reference, string name)
    {
        var counted = Counted(Flips.Keys);
        return this with
        {
            Mfr = Finite(counted.Average(perturbation => Flips[perturbation] / reference.Flips[perturbation])),
            Mt5d = Finite(counted.Average(perturbation => Distances[perturbation] / reference.Distances[perturbation])),
            Reference = name,
        };

        // A reference that never flips is one that nothing can be relative to.
        static double? Finite(double value) => double.IsFinite(value) ? value : null;
    }

    /// <summary>The perturbations that means are taken over: those of the benchmark where any of them was measured, else all that were.</summary>
    /// <param name="measured">Their names.</param>
    internal static IReadOnlyList<string> Counted(IEnumerable<string> measured)
    {
        List<string> all = [.. measured];
        return all.Any(Benchmark.Contains) ? [.. all.Where(Benchmark.Contains)] : all;
    }
}
