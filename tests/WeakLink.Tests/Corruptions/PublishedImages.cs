using SkiaSharp;
using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Tests.Corruptions;

/// <summary>The published code's images, as planes, and ours of the same clean images. Of large images it is a part, the upper left.</summary>
internal sealed class PublishedImages
{
    private readonly string _folder;
    private readonly SeverityTable _table;
    private readonly Dictionary<string, byte[][][]> _tables = [];
    private readonly byte[][] _whole;
    private readonly int _wholeSize;

    private PublishedImages(string folder, SeverityTable table)
    {
        (_folder, _table) = (Reference.Path(folder), table);
        (_whole, _wholeSize) = Load("clean", 1);
        Size = Load("fog", Corruption.Severities).Size;
        Clean = [.. _whole.Select(Part)];
    }

    public static PublishedImages Cifar { get => field ??= new("cifar10-c", SeverityTable.Cifar); }

    public static PublishedImages ImageNet { get => field ??= new("imagenet-c", SeverityTable.ImageNet); }

    /// <summary>Side of the parts in pixels.</summary>
    public int Size { get; }

    public IReadOnlyList<byte[]> Clean { get; }

    /// <summary>The published images of a severity, of as many of the clean ones as its table has: few where no chance is in play.</summary>
    public byte[][] Published(Corruption corruption, int severity) => Table(corruption)[severity - 1];

    /// <summary>Our images of a severity, of the same clean ones.</summary>
    public byte[][] Ours(Corruption corruption, int severity, int draw = 0) => [.. _whole.Take(Table(corruption)[0].Length).Select((clean, index) =>
    {
        var result = new byte[clean.Length];
        corruption.Apply(new ImageView(clean, _wholeSize, _wholeSize), _table, severity, new SeededRandom(draw, RandomUse.Corruption, severity, index), result);
        return Part(result);
    })];

    private byte[][][] Table(Corruption corruption)
    {
        if (!_tables.TryGetValue(corruption.Name, out var rows))
        {
            var (images, _) = Load(corruption.Name, Corruption.Severities);
            _tables.Add(corruption.Name, rows = [.. images.Chunk(images.Length / Corruption.Severities)]);
        }

        return rows;
    }

    private byte[] Part(byte[] image) => Cut(image, _wholeSize, _wholeSize, 0, 0, Size);

    // A table of square images, row after row.
    private (byte[][] Images, int Size) Load(string name, int rows)
    {
        using var codec = SKCodec.Create(Path.Combine(_folder, name + ".png"));
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        using var bitmap = SKBitmap.Decode(codec, new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var table = new byte[3 * height * width];
        Bitmaps.CopyPlanes(bitmap, table);
        var size = height / rows;
        return ([.. from top in Enumerable.Range(0, rows) from left in Enumerable.Range(0, width / size) select Cut(table, height, width, top * size, left * size, size)], size);
    }

    private static byte[] Cut(byte[] planes, int height, int width, int top, int left, int size) =>
        [.. from row in Enumerable.Range(0, 3 * size) from value in planes.AsSpan((((row / size * height) + top + (row % size)) * width) + left, size).ToArray() select value];
}
