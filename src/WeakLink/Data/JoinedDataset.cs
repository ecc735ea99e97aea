namespace WeakLink.Data;

/// <summary>The images of several data sets, one after another.</summary>
/// <param name="parts">Data sets of the same classes and image size; at least one.</param>
/// <exception cref="ArgumentException">There is none, or their classes or sizes differ.</exception>
public sealed class JoinedDataset(IReadOnlyList<Dataset> parts) : Dataset
{
    // So far apart that no two parts have an image of the same number.
    private const int BitsOfAPart = 48;

    private readonly int[] _starts = Starts(parts);

    /// <inheritdoc/>
    public override string Name => string.Join(" + ", parts.Select(part => part.Name));

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => parts[0].Classes;

    /// <inheritdoc/>
    public override int Count => parts.Sum(part => part.Count);

    /// <inheritdoc/>
    public override int Height => parts[0].Height;

    /// <inheritdoc/>
    public override int Width => parts[0].Width;

    /// <inheritdoc/>
    public override int Label(int index) => parts[Part(index)].Label(index - _starts[Part(index)]);

    /// <summary>Those of the first part are its own; the others' are moved, so that two parts which count from 0 don't share draws.</summary>
    /// <inheritdoc/>
    public override long Identity(int index) => unchecked(parts[Part(index)].Identity(index - _starts[Part(index)]) + ((long)Part(index) << BitsOfAPart));

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes) => parts[Part(index)].Read(index - _starts[Part(index)], planes);

    /// <inheritdoc/>
    public override IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> which, IRunObserver observer, CancellationToken stop = default)
    {
        var hashes = new UInt128[which.Count];
        foreach (var places in Enumerable.Range(0, which.Count).GroupBy(place => Part(which[place])))
        {
            var its = parts[places.Key].Hashes([.. places.Select(place => which[place] - _starts[places.Key])], observer, stop);
            foreach (var (place, hash) in places.Zip(its))
            {
                hashes[place] = hash;
            }
        }

        return hashes;
    }

    /// <inheritdoc/>
    public override string Describe(int index) => parts[Part(index)].Describe(index - _starts[Part(index)]);

    private static int[] Starts(IReadOnlyList<Dataset> parts)
    {
        if (parts.Count == 0 || parts.Any(part => (part.Height, part.Width) != (parts[0].Height, parts[0].Width) || !part.Classes.SequenceEqual(parts[0].Classes)))
        {
            throw new ArgumentException("Data sets are joined where there is one, and all have the same classes and image size.", nameof(parts));
        }

        var starts = new int[parts.Count];
        for (var part = 1; part < parts.Count; part++)
        {
            starts[part] = checked(starts[part - 1] + parts[part - 1].Count);
        }

        return starts;
    }

    private int Part(int index)
    {
        var part = _starts.Length - 1;
        while (index < _starts[part])
        {
            part--;
        }

        return part;
    }
}
