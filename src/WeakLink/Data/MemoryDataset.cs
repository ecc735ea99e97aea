namespace WeakLink.Data;

/// <summary>Images held in memory as bytes.</summary>
/// <param name="name">What to call the data.</param>
/// <param name="classes">Class names.</param>
/// <param name="height">Height of every image.</param>
/// <param name="width">Width of every image.</param>
/// <param name="images">One array an image: three planes of height × width bytes.</param>
/// <param name="labels">One class index an image.</param>
/// <exception cref="ArgumentException">There are not as many labels as images, an image has another size, or a label is none of the classes'.</exception>
public sealed class MemoryDataset(string name, IReadOnlyList<string> classes, int height, int width, IReadOnlyList<byte[]> images, IReadOnlyList<int> labels) : Dataset
{
    private readonly IReadOnlyList<byte[]> _images = Checked(images, labels, Channels * height * width, classes.Count);

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => classes;

    /// <inheritdoc/>
    public override int Count => _images.Count;

    /// <inheritdoc/>
    public override int Height => height;

    /// <inheritdoc/>
    public override int Width => width;

    /// <inheritdoc/>
    public override int Label(int index) => labels[index];

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes) => _images[index].CopyTo(planes);

    private static IReadOnlyList<byte[]> Checked(IReadOnlyList<byte[]> images, IReadOnlyList<int> labels, int bytes, int classes)
    {
        if (images.Count != labels.Count)
        {
            throw new ArgumentException($"There are {images.Count} images and {labels.Count} labels.", nameof(labels));
        }

        for (var i = 0; i < images.Count; i++)
        {
            if (images[i].Length != bytes || labels[i] < 0 || labels[i] >= classes)
            {
                throw new ArgumentException($"Image {i} has {images[i].Length} bytes and the label {labels[i]}: there should be {bytes} (three planes), and a label below {classes}.", nameof(images));
            }
        }

        return images;
    }
}
