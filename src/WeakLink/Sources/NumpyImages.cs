using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Sources;

/// <summary>
/// Images and labels as NumPy arrays, as generated and pseudo-labelled data are shared: <c>image.npy</c> (or <c>images.npy</c>), N×H×W×3
/// bytes, and <c>label.npy</c> (or <c>labels.npy</c>), N integers. Images are read from the disk when they are needed.
/// </summary>
public sealed class NumpyImages : Dataset
{
    private readonly NumpyFile _images;
    private readonly long[] _labels;

    /// <summary>Takes arrays that were checked: N×H×W×3 bytes and N labels of the classes.</summary>
    internal NumpyImages(string name, IReadOnlyList<string> classes, NumpyFile images, long[] labels) => (Name, Classes, _images, _labels) = (name, classes, images, labels);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public override int Count => _labels.Length;

    /// <inheritdoc/>
    public override int Height => (int)_images.Shape[1];

    /// <inheritdoc/>
    public override int Width => (int)_images.Shape[2];

    /// <summary>Whether a folder holds such arrays.</summary>
    public static bool AreIn(string folder) => Find(folder, "image") is not null;

    /// <summary>Opens a folder's arrays.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classes">The classes that labels index.</param>
    /// <exception cref="InputException">An array is missing or of a wrong shape or type, or a label is out of range.</exception>
    public static NumpyImages Open(string folder, IReadOnlyList<string> classes)
    {
        var images = NumpyFile.Open(Find(folder, "image") ?? throw new InputException($"'{folder}' has no image.npy: save the images there, N×H×W×3 bytes."));
        try
        {
            using var labels = NumpyFile.Open(Find(folder, "label") ?? throw new InputException($"'{folder}' has {Path.GetFileName(images.Path)}, but no label.npy: save the class of each image there, as integers."));
            var values = labels.ReadIntegers();
            if (images.Type != "|u1" || images.Shape is not [_, > 0 and <= 4096, > 0 and <= 4096, Channels])
            {
                throw new InputException($"'{images.Path}' is an array of type {images.Type} and shape {string.Join('x', images.Shape)}, expected bytes (|u1) of shape NxHxWx3: save the images as uint8, channels last.");
            }

            if (images.Shape[0] != values.Length || values.Length == 0)
            {
                throw new InputException($"'{images.Path}' has {images.Shape[0]} images and '{labels.Path}' {values.Length} labels, expected the same number, at least one: copy or fetch them again.");
            }

            var wrong = Array.FindIndex(values, label => label < 0 || label >= classes.Count);
            return wrong < 0
                ? new NumpyImages(Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)), classes, images, values)
                : throw new InputException($"'{labels.Path}' has label {values[wrong]} at index {wrong}, but there are {classes.Count} classes (0 to {classes.Count - 1}): give images of the same classes.");
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Label(int index) => (int)_labels[index];

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        var pixels = new byte[BytesPerImage];
        _images.Read((long)index * BytesPerImage, pixels);
        Interleaved.ToPlanes(pixels, planes);
    }

    private static string? Find(string folder, string name) =>
        new[] { $"{name}.npy", $"{name}s.npy" }.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
}
