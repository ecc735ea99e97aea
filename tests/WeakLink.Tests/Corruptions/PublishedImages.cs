using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Tests.Corruptions;

/// <summary>The published code's images of shared/reference, as planes, and ours of the same clean images.</summary>
internal sealed class PublishedImages
{
    private readonly string _folder;
    private readonly byte[][] _clean;

    private PublishedImages(string folder, SeverityTable table)
    {
        _folder = Shared.Require($"reference/{folder}");
        Table = table;
        _clean = Load("clean");
        Size = (int)Math.Sqrt(_clean[0].Length / 3);
    }

    public static PublishedImages Cifar { get => field ??= new("cifar10-c", SeverityTable.Cifar); }

    public static PublishedImages ImageNet { get => field ??= new("imagenet-c", SeverityTable.ImageNet); }

    public SeverityTable Table { get; }

    public int Size { get; }

    public IReadOnlyList<byte[]> Clean => _clean;

    /// <summary>The published images of a severity.</summary>
    public byte[][] Published(Corruption corruption, int severity) =>
        Load(corruption.Name)[((severity - 1) * _clean.Length)..(severity * _clean.Length)];

    /// <summary>Our images of a severity.</summary>
    public byte[][] Ours(Corruption corruption, int severity, int draw = 0) => [.. _clean.Select((clean, index) =>
    {
        var result = new byte[clean.Length];
        corruption.Apply(new ImageView(clean, Size, Size), Table, severity, new SeededRandom(draw, RandomUse.Corruption, severity, index), result);
        return result;
    })];

    // N×H×W×3 to planes.
    private byte[][] Load(string name)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var images = ReferenceArray.Read(Path.Combine(_folder, name + ".npy")).permute(0, 3, 1, 2).contiguous();
        return [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => images[i].contiguous().data<byte>().ToArray())];
    }
}
