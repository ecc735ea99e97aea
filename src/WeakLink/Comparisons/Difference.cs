using MathNet.Numerics.Distributions;

namespace WeakLink.Comparisons;

/// <summary>How an interval of a difference was made.</summary>
public enum IntervalMethod
{
    /// <summary>None: one seed can't tell a difference from luck.</summary>
    None,

    /// <summary>Of the differences at each seed that both arms have: what a seed does to both cancels.</summary>
    Paired,

    /// <summary>Welch's, of two independent means with spreads of their own: the arms share fewer than two seeds.</summary>
    Welch,
}

/// <summary>By how much an arm differs from the baseline.</summary>
/// <param name="Mean">Arm minus baseline.</param>
/// <param name="HalfWidth">Half the length of the 95 % confidence interval around it; null where there is none.</param>
/// <param name="Method">How the interval was made.</param>
/// <param name="Seeds">Paired: the seeds it was made of. Else empty.</param>
public sealed record Difference(double Mean, double? HalfWidth, IntervalMethod Method, IReadOnlyList<long> Seeds)
{
    /// <summary>Of a hundred such intervals this many hundredths hold the true difference.</summary>
    public const double Confidence = 0.95;

    /// <summary>Lower end of the interval.</summary>
    public double? Low => Mean - HalfWidth;

    /// <summary>Upper end of the interval.</summary>
    public double? High => Mean + HalfWidth;

    /// <summary>Whether the interval includes 0, so that the seeds don't tell which is larger; null where there is none.</summary>
    public bool? IncludesZero => HalfWidth is { } half ? Math.Abs(Mean) <= half : null;

    /// <summary>Compares two arms.</summary>
    /// <param name="arm">A value for each seed that has one.</param>
    /// <param name="baseline">The same of the baseline.</param>
    /// <returns>Null where one of them has no value.</returns>
    public static Difference? Between(IReadOnlyDictionary<long, double> arm, IReadOnlyDictionary<long, double> baseline)
    {
        if (arm.Count == 0 || baseline.Count == 0)
        {
            return null;
        }

        long[] shared = [.. arm.Keys.Where(baseline.ContainsKey).Order()];
        if (shared.Length > 1)
        {
            var pairs = Spread.Of([.. shared.Select(seed => arm[seed] - baseline[seed])])!;
            return new(pairs.Mean, Quantile(shared.Length - 1) * pairs.StandardDeviation!.Value / Math.Sqrt(shared.Length), IntervalMethod.Paired, shared);
        }

        var (a, b) = (Spread.Of([.. arm.Values])!, Spread.Of([.. baseline.Values])!);
        if (a.StandardDeviation is not { } first || b.StandardDeviation is not { } second)
        {
            return shared.Length == 1
                ? new(arm[shared[0]] - baseline[shared[0]], null, IntervalMethod.None, shared)
                : new(a.Mean - b.Mean, null, IntervalMethod.None, []);
        }

        // Squared standard errors of the two means, and Satterthwaite's degrees of freedom of their sum.
        var (u, v) = (first * first / a.Count, second * second / b.Count);
        var half = u + v > 0 ? Quantile((u + v) * (u + v) / ((u * u / (a.Count - 1)) + (v * v / (b.Count - 1)))) * Math.Sqrt(u + v) : 0;
        return new(a.Mean - b.Mean, half, IntervalMethod.Welch, []);
    }

    // How far from 0 a t variable lies at most, in either direction, with this confidence.
    private static double Quantile(double degreesOfFreedom) => StudentT.InvCDF(0, 1, degreesOfFreedom, (1 + Confidence) / 2);
}
