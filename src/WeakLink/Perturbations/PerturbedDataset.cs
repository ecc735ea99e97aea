using System.IO.Hashing;
using System.Text;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>
/// A data set whose items are perturbation sequences: the bytes of an item are its frames, one after the other, each three planes, so an
/// item is "an image" of frames × height rows. It is always the same, whoever reads it among whatever others: its draws follow from (seed, perturbation,
/// <see cref="Dataset.Identity"/>).
/// </summary>
/// <param name="clean">The images.</param>
/// <param name="crop">What the network sees of them.</param>
/// <param name="perturbation">The perturbation.</param>
/// <param name="seed">Seed of all draws.</param>
public sealed class PerturbedDataset(Dataset clean, CentreCrop crop, Perturbation perturbation, long seed) : Dataset
{
    private readonly SeverityTable _table = SeverityTables.For(crop.Height, crop.Width);
    private readonly long _draws = unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(perturbation.Name)));

    /// <inheritdoc/>
    public override string Name => $"{clean.Name}, {perturbation.Name}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => clean.Classes;

    /// <inheritdoc/>
    public override int Count => clean.Count;

    /// <summary>Frames × rows.</summary>
    public override int Height => perturbation.Frames(_table) * crop.Height;

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
        var image = new byte[clean.BytesPerImage];
        clean.Read(index, image);
        perturbation.Apply(
            new ImageView(image, clean.Height, clean.Width), crop, _table, new SeededRandom(seed, RandomUse.Perturbation, _draws, Identity(index)), planes);
    }
}
