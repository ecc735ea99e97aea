using System.IO.Hashing;
using System.Text;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>
/// A data set whose images are corrupted when they are read: cut to what the network sees, then corrupted, as the benchmark's authors
/// did. An image is always the same, whoever reads it among whatever others: its draws follow from (seed, corruption, severity, <see cref="Dataset.Identity"/>).
/// </summary>
/// <param name="clean">The images.</param>
/// <param name="crop">What the network sees of them.</param>
/// <param name="corruption">The corruption.</param>
/// <param name="severity">1 ... 5.</param>
/// <param name="seed">Seed of all draws.</param>
public sealed class CorruptedDataset(Dataset clean, CentreCrop crop, Corruption corruption, int severity, long seed) : Dataset
{
    private readonly SeverityTable _table = SeverityTables.For(crop.Height, crop.Width);

    // Every corruption and severity has draws of its own; the name keeps them when corruptions are added.
    private readonly long _draws = unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(corruption.Name)) + severity);

    /// <inheritdoc/>
    public override string Name => $"{clean.Name}, {corruption.Name} {severity}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => clean.Classes;

    /// <inheritdoc/>
    public override int Count => clean.Count;

    /// <inheritdoc/>
    public override int Height => crop.Height;

    /// <inheritdoc/>
    public override int Width => crop.Width;

    /// <inheritdoc/>
    public override int Label(int index) => clean.Label(index);

    /// <inheritdoc/>
    public override long Identity(int index) => clean.Identity(index);

    /// <inheritdoc/>
    public override string Describe(int index) => clean.Describe(index);

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        var whole = new byte[clean.BytesPerImage];
        clean.Read(index, whole);
        var seen = whole;
        if ((clean.Height, clean.Width) != (crop.Height, crop.Width))
        {
            seen = new byte[BytesPerImage];
            crop.Cut(new ImageView(whole, clean.Height, clean.Width), seen);
        }

        corruption.Apply(new ImageView(seen, Height, Width), _table, severity, new SeededRandom(seed, RandomUse.Corruption, _draws, Identity(index)), planes);
    }
}
