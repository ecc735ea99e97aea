namespace WeakLink.Evaluation;

/// <summary>Several accuracies.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Min">The least.</param>
/// <param name="Count">How many.</param>
/// <param name="All">Each of them; null in summaries of older versions.</param>
public sealed record SpreadSummary(
    [property: Limits(0, 1)] double Mean,
    [property: Limits(0, 1)] double Min,
    [property: Limits(0, int.MaxValue)] int Count,
    [property: Limits(0, 1, NotEmpty = true)] IReadOnlyList<double>? All = null)
{
    /// <summary>Summarises accuracies, at least one.</summary>
    public static SpreadSummary Of(IReadOnlyList<double> all) => new(all.Average(), all.Min(), all.Count, all);
}
