namespace WeakLink.Imaging;

/// <summary>A row or column of pixels that is scaled, and what is kept of it then.</summary>
/// <param name="From">Pixels before.</param>
/// <param name="To">Pixels after, if all were kept; more than an image holds where a long strip is enlarged and cut.</param>
/// <param name="First">The first one kept.</param>
/// <param name="Count">How many are kept.</param>
internal readonly record struct ScaledLine(int From, long To, long First, int Count)
{
    /// <summary>One that is kept whole.</summary>
    public ScaledLine(int from, int to)
        : this(from, to, 0, to)
    {
    }

    /// <summary>Whether nothing is scaled.</summary>
    public bool IsOnlyCut => From == To;
}
