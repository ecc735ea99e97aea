namespace WeakLink.Evaluation;

/// <summary>What an accuracy is measured on.</summary>
public enum AccuracyKind
{
    /// <summary>Images as they are.</summary>
    Clean,

    /// <summary>Corrupted images.</summary>
    Corrupted,

    /// <summary>Images under attack.</summary>
    Attacked,
}

/// <summary>Accuracies of one network, as fractions.</summary>
/// <param name="Clean">On the images as they are.</param>
/// <param name="Corrupted">Mean over the corruptions and severities; null where none were measured.</param>
/// <param name="Attacked">Robust accuracy; null where it was not measured.</param>
public sealed record Accuracies(double Clean, double? Corrupted, double? Attacked)
{
    /// <summary>One of them; null where it was not measured.</summary>
    public double? this[AccuracyKind kind] => kind switch
    {
        AccuracyKind.Clean => Clean,
        AccuracyKind.Corrupted => Corrupted,
        _ => Attacked,
    };
}

/// <summary>Accuracies of several networks on the same images: the i-th of each list is the i-th network's.</summary>
/// <param name="Clean">On the images as they are.</param>
/// <param name="Corrupted">Mean over the corruptions and severities; null where none were measured.</param>
/// <param name="Attacked">Robust accuracy; null where it was not measured.</param>
public sealed record AccuracyGroup(SpreadSummary Clean, SpreadSummary? Corrupted, SpreadSummary? Attacked)
{
    /// <summary>Gathers networks, at least one.</summary>
    public static AccuracyGroup Of(IReadOnlyList<Accuracies> networks) => new(
        SpreadSummary.Of([.. networks.Select(one => one.Clean)]),
        Optional(networks, one => one.Corrupted),
        Optional(networks, one => one.Attacked));

    /// <summary>One of them; null where it was not measured.</summary>
    public SpreadSummary? this[AccuracyKind kind] => kind switch
    {
        AccuracyKind.Clean => Clean,
        AccuracyKind.Corrupted => Corrupted,
        _ => Attacked,
    };

    private static SpreadSummary? Optional(IReadOnlyList<Accuracies> networks, Func<Accuracies, double?> part) =>
        part(networks[0]) is null ? null : SpreadSummary.Of([.. networks.Select(one => part(one)!.Value)]);
}
