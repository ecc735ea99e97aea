using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Normal noise on every value: what poor light leaves.</summary>
internal sealed class GaussianNoise() : Corruption("gaussian_noise", CorruptionGroup.Noise)
{
    // Standard deviation in units of [0, 1].
    private static readonly Levels<double> Deviation = new(
        cifar: [0.04, 0.06, 0.08, 0.09, 0.10],
        tinyImageNet: [0.04, 0.08, 0.12, 0.15, 0.18],
        imageNet: [0.08, 0.12, 0.18, 0.26, 0.38]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        Add(image, Deviation[table, severity], random, result);

    /// <summary>Adds noise of a standard deviation in units of [0, 1].</summary>
    public static void Add(ImageView image, double deviation, SeededRandom random, Span<byte> result)
    {
        using var pixels = Planes.Of(image);
        using var noise = new Planes(pixels.Count, pixels.Height, pixels.Width);
        random.FillNormal(noise.Used);
        TensorPrimitives.MultiplyAdd(noise.Used, (float)(255 * deviation), pixels.Used, pixels.Used);
        pixels.CutTo(result);
    }
}
