using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Sources;

/// <summary>
/// Data sets in MNIST's files (LeCun 1998, http://yann.lecun.com/exdb/mnist/: "the IDX file format"): Fashion-MNIST (Xiao et al. 2017), MNIST itself, and what else
/// comes in a folder of <c>train-images-idx3-ubyte</c>, <c>train-labels-idx1-ubyte</c> and the same of <c>t10k</c>, compressed with gzip or not.
/// </summary>
public static class IdxFiles
{
    private const string TrainPart = "train", TestPart = "t10k", Images = "images", Labels = "labels";
    private const int ImageDimensions = 3, LabelDimensions = 1;
    private const int MostPixels = 4096;
    private const byte Bytes = 8;
    private const int FirstReadBytes = 1 << 20;

    // By what lies in the file, which is the same however it was compressed: SHA-256 of the training labels.
    private const string FashionLabels = "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7";

    // As published: https://github.com/zalandoresearch/fashion-mnist.
    private static readonly string[] FashionClasses = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Whether a folder, or its folder <c>raw</c> as torchvision has it, holds such files.</summary>
    public static bool AreIn(string folder) => FolderIn(folder) is not null;

    /// <summary>Opens a folder.</summary>
    /// <param name="folder">A folder for which <see cref="AreIn"/> is true.</param>
    /// <returns>The training and the test images: grey, as three equal channels. Classes are called by their numbers, those of Fashion-MNIST by their names.</returns>
    /// <exception cref="InputException">A file is missing, damaged or not of this kind, or does not fit the others.</exception>
    public static (Dataset Train, Dataset Test) Open(string folder)
    {
        var place = FolderIn(folder) ?? throw new InputException($"'{folder}' holds none of MNIST's files (train-images-idx3-ubyte and three more, also with .gz): check the path.");
        var (trainLabels, testLabels) = (Read(place, TrainPart, Labels), Read(place, TestPart, Labels));
        var isFashion = Convert.ToHexStringLower(SHA256.HashData(trainLabels.Values)) == FashionLabels;
        string[] classes = isFashion ? FashionClasses : [.. Enumerable.Range(0, trainLabels.Values.Max() + 1).Select(number => $"{number}")];
        var wrong = Array.FindIndex(testLabels.Values, label => label >= classes.Length);
        if (wrong >= 0)
        {
            throw new InputException($"'{testLabels.Path}' has label {testLabels.Values[wrong]} at index {wrong}, but the training labels go from 0 to {classes.Length - 1}: it is damaged or of another data set; copy it again.");
        }

        var name = isFashion ? "Fashion-MNIST" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return (Grey(TrainPart, trainLabels), Grey(TestPart, testLabels));

        GreyImages Grey(string part, IdxArray labels)
        {
            var images = Read(place, part, Images);
            return images.Shape[0] == labels.Shape[0]
                ? new GreyImages(name, classes, images, labels.Values)
                : throw new InputException($"'{images.Path}' has {images.Shape[0]} images and '{labels.Path}' {labels.Shape[0]} labels, expected the same number: copy them again.");
        }
    }

    private static string? FolderIn(string folder) => new[] { folder, Path.Combine(folder, "raw") }.FirstOrDefault(place => Find(place, TrainPart, Images) is not null || Find(place, TestPart, Images) is not null);

    // Some unpacked copies have a dot where the published names have a hyphen.
    private static IEnumerable<string> Names(string part, string kind)
    {
        var dimensions = kind == Images ? ImageDimensions : LabelDimensions;
        return [$"{part}-{kind}-idx{dimensions}-ubyte", $"{part}-{kind}.idx{dimensions}-ubyte"];
    }

    private static string? Find(string folder, string part, string kind) =>
        Names(part, kind).SelectMany(name => new[] { name, name + ".gz" }).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static IdxArray Read(string folder, string part, string kind)
    {
        var path = Find(folder, part, kind) ?? throw new InputException($"'{folder}' has no {Names(part, kind).First()} (or {Names(part, kind).First()}.gz), which belongs to the other files there: copy it to them.");
        try
        {
            using var file = InputFile.Open(path);
            var isCompressed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            file.Position = 0;
            using Stream content = isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
            return Read(path, content, kind == Images ? ImageDimensions : LabelDimensions, isCompressed ? SafeArchive.MostOf(file.Length) : long.MaxValue);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw Damaged(path, "it ends too early, or its compression is damaged", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"Can't read '{path}' ({error.Message.TrimEnd('.')}): check its permissions, or copy it again.", error);
        }
    }

    private static IdxArray Read(string path, Stream content, int dimensions, long most)
    {
        var header = new byte[4 + (4 * dimensions)];
        content.ReadExactly(header);
        if (header[0] != 0 || header[1] != 0 || header[2] != Bytes || header[3] != dimensions)
        {
            throw Damaged(path, $"its header is not that of {(dimensions == LabelDimensions ? "labels" : "grey images")}, an array of bytes with {dimensions} dimension{(dimensions == 1 ? "" : "s")}");
        }

        var shape = Enumerable.Range(1, dimensions).Select(i => BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 * i))).ToArray();
        if (shape[0] == 0 || shape.Skip(1).Any(side => side is 0 or > MostPixels) || shape.Aggregate(1.0, (product, side) => product * side) > Math.Min(Array.MaxLength, most))
        {
            throw Damaged(path, $"it claims {string.Join('x', shape)} bytes");
        }

        // Memory follows what arrives, never what a header promises.
        var length = shape.Aggregate(1, (product, side) => product * (int)side);
        var values = new byte[Math.Min(length, FirstReadBytes)];
        for (var filled = 0; filled < length;)
        {
            if (filled == values.Length)
            {
                Array.Resize(ref values, (int)Math.Min(length, values.Length * 2L));
            }

            var count = content.Read(values, filled, values.Length - filled);
            filled += count > 0 ? count : throw new EndOfStreamException();
        }

        return content.ReadByte() < 0
            ? new IdxArray(path, [.. shape.Select(side => (int)side)], values)
            : throw Damaged(path, $"it holds more than the {string.Join('x', shape)} bytes that its header claims");
    }

    private static InputException Damaged(string path, string why, Exception? cause = null) => new($"'{path}' is no whole file of MNIST's kind ({why}): copy or fetch it again.", cause);

    private sealed record IdxArray(string Path, int[] Shape, byte[] Values);

    /// <summary>Images of one channel, kept as they come and shown as three.</summary>
    private sealed class GreyImages(string name, IReadOnlyList<string> classes, IdxArray images, byte[] labels) : Dataset
    {
        public override string Name => name;

        public override IReadOnlyList<string> Classes => classes;

        public override int Count => labels.Length;

        public override int Height => images.Shape[1];

        public override int Width => images.Shape[2];

        public override int Label(int index) => labels[index];

        public override void Read(int index, Span<byte> planes)
        {
            var area = Height * Width;
            var grey = images.Values.AsSpan(index * area, area);
            for (var channel = 0; channel < Channels; channel++)
            {
                grey.CopyTo(planes[(channel * area)..]);
            }
        }

        public override string Describe(int index) => $"image {index} of {images.Path}";
    }
}
