namespace WeakLink.Data;

/// <summary>Images held in memory as bytes.</summary>
/// <param name="name">What to call the data.</param>
/// <param name="classes">Class names.</param>
/// <param name="height">Height of every image.</param>
/// <param name="width">Width of every image.</param>
/// <param name="images">One array an image: three planes of height × width bytes.</param>
/// <param name="labels">One class index an image.</param>
public sealed class MemoryDataset(string name, IReadOnlyList<string> classes, int height, int width, IReadOnlyList<byte[]> images, IReadOnlyList<int> labels) : Dataset
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => classes;

    /// <inheritdoc/>
    public override int Count => images.Count;

    /// <inheritdoc/>
    public override int Height => height;

    /// <inheritdoc/>
    public override int Width => width;

    /// <inheritdoc/>
    public override int Label(int index) => labels[index];

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes) => images[index].CopyTo(planes);
}
