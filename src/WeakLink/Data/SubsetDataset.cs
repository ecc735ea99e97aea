namespace WeakLink.Data;

/// <summary>Some images of another data set.</summary>
/// <param name="whole">The data set.</param>
/// <param name="indices">Which of its images, in this order.</param>
/// <param name="classes">A list that has the classes of these images by name, for labels to index; null: its own list.</param>
public sealed class SubsetDataset(Dataset whole, IReadOnlyList<int> indices, IReadOnlyList<string>? classes = null) : Dataset
{
    private readonly int[]? _places = Places(whole, classes);

    /// <inheritdoc/>
    public override string Name => whole.Name;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => classes ?? whole.Classes;

    /// <inheritdoc/>
    public override int Count => indices.Count;

    /// <inheritdoc/>
    public override int Height => whole.Height;

    /// <inheritdoc/>
    public override int Width => whole.Width;

    /// <inheritdoc/>
    public override int Label(int index) => _places is null ? whole.Label(indices[index]) : _places[whole.Label(indices[index])];

    /// <inheritdoc/>
    public override long Identity(int index) => whole.Identity(indices[index]);

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes) => whole.Read(indices[index], planes);

    /// <inheritdoc/>
    public override IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> which, IRunObserver observer, CancellationToken stop = default) =>
        whole.Hashes([.. which.Select(index => indices[index])], observer, stop);

    /// <inheritdoc/>
    public override string Describe(int index) => whole.Describe(indices[index]);

    private static int[]? Places(Dataset whole, IReadOnlyList<string>? classes)
    {
        var places = classes?.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place, StringComparer.Ordinal);
        return places is null ? null : [.. whole.Classes.Select(name => places.GetValueOrDefault(name, -1))];
    }
}
