using MathNet.Numerics.Statistics;

namespace WeakLink.Evaluation;

/// <summary>A correlation coefficient with its 95 % confidence interval.</summary>
/// <param name="Value">In [-1, 1].</param>
/// <param name="Low">Lower end of the interval; null below four pairs and for a perfect correlation, where Fisher's transformation gives none.</param>
/// <param name="High">Upper end.</param>
/// <param name="Pairs">Pairs that it was computed from.</param>
public sealed record CorrelationSummary(double Value, double? Low, double? High, int Pairs)
{
    // 97.5 % quantile of the normal distribution.
    private const double Quantile = 1.959964;

    // The variance of the transformed coefficient is 1 / (pairs - 3) for normal pairs (Fisher 1921); for ranks it is 1.06 / (pairs - 3)
    // (Fieller, Hartley and Pearson 1957).
    private const double RankVariance = 1.06;

    private const double Perfect = 1 - 1e-12;

    /// <summary>Pearson's coefficient: how close the pairs are to a rising (1) or falling (-1) line.</summary>
    /// <param name="x">First of each pair.</param>
    /// <param name="y">Second of each pair.</param>
    /// <returns>Null where there are fewer than three pairs, or one of the two does not vary.</returns>
    /// <exception cref="ArgumentException">The lists differ in length.</exception>
    public static CorrelationSummary? Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y) => Of(x, y, 1, Correlation.Pearson);

    /// <summary>Spearman's coefficient: Pearson's of the ranks, equal values sharing the mean of theirs. Any rising relation gives 1.</summary>
    /// <inheritdoc cref="Pearson"/>
    public static CorrelationSummary? Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y) => Of(x, y, RankVariance, Correlation.Spearman);

    /// <summary>Such as "0.93 [0.71, 0.98]".</summary>
    public override string ToString() => FormattableString.Invariant($"{Value:0.00}") + (Low is { } low && High is { } high ? FormattableString.Invariant($" [{low:0.00}, {high:0.00}]") : "");

    private static CorrelationSummary? Of(IReadOnlyList<double> x, IReadOnlyList<double> y, double variance, Func<IEnumerable<double>, IEnumerable<double>, double> coefficient)
    {
        if (x.Count != y.Count)
        {
            throw new ArgumentException($"There are {x.Count} first and {y.Count} second values.", nameof(y));
        }

        var pairs = x.Count;
        if (pairs < 3 || x.Distinct().Count() < 2 || y.Distinct().Count() < 2)
        {
            return null;
        }

        // Rounding may leave a perfect correlation a little above 1.
        var value = Math.Clamp(coefficient(x, y), -1, 1);
        if (pairs < 4 || Math.Abs(value) > Perfect)
        {
            return new CorrelationSummary(value, null, null, pairs);
        }

        var (transformed, reach) = (Math.Atanh(value), Quantile * Math.Sqrt(variance / (pairs - 3)));
        return new CorrelationSummary(value, Math.Tanh(transformed - reach), Math.Tanh(transformed + reach), pairs);
    }
}
