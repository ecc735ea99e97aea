using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Normal noise in proportion to the value.</summary>
internal sealed class SpeckleNoise() : Corruption("speckle_noise", CorruptionGroup.Noise, heldOut: true)
{
    // Standard deviation as a fraction of the value.
    private static readonly Levels<double> Deviation = new(
        cifar: [0.06, 0.1, 0.12, 0.16, 0.2],
        tinyImageNet: [0.15, 0.2, 0.25, 0.3, 0.35],
        imageNet: [0.15, 0.2, 0.35, 0.45, 0.6]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        Add(image, Deviation[table, severity], random, result);

    /// <summary>Adds noise of a standard deviation that is a fraction of each value.</summary>
    public static void Add(ImageView image, double deviation, SeededRandom random, Span<byte> result)
    {
        using var pixels = Planes.Of(image);
        using var noise = new Planes(pixels.Count, pixels.Height, pixels.Width);
        random.FillNormal(noise.Used);
        TensorPrimitives.Multiply(noise.Used, (float)deviation, noise.Used);
        TensorPrimitives.Add(noise.Used, 1, noise.Used);
        TensorPrimitives.Multiply(pixels.Used, noise.Used, pixels.Used);
        pixels.CutTo(result);
    }
}
