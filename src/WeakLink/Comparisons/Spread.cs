namespace WeakLink.Comparisons;

/// <summary>Mean and spread of a number over runs.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="StandardDeviation">Standard deviation of a run (n − 1 in the denominator); null for one run, which has no spread.</param>
/// <param name="Count">Runs.</param>
public sealed record Spread(double Mean, double? StandardDeviation, int Count)
{
    /// <summary>The spread of values; null where there are none.</summary>
    public static Spread? Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
        {
            return null;
        }

        var mean = values.Average();
        return new(mean, values.Count == 1 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1)), values.Count);
    }
}
