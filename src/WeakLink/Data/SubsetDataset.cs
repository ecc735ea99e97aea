namespace WeakLink.Data;

/// <summary>Some images of another data set.</summary>
/// <param name="whole">The data set.</param>
/// <param name="which">Which of its images, in this order.</param>
public sealed class SubsetDataset(Dataset whole, IReadOnlyList<int> which) : Dataset
{
    /// <inheritdoc/>
    public override string Name => whole.Name;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => whole.Classes;

    /// <inheritdoc/>
    public override int Count => which.Count;

    /// <inheritdoc/>
    public override int Height => whole.Height;

    /// <inheritdoc/>
    public override int Width => whole.Width;

    /// <inheritdoc/>
    public override int Label(int index) => whole.Label(which[index]);

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes) => whole.Read(which[index], planes);

    /// <inheritdoc/>
    public override IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> indices, IRunObserver observer, CancellationToken stop = default) =>
        whole.Hashes([.. indices.Select(index => which[index])], observer, stop);

    /// <inheritdoc/>
    public override string Describe(int index) => whole.Describe(which[index]);
}
