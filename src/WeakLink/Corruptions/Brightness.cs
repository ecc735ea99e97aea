using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Overexposure: the value of hue, saturation and value rises.</summary>
internal sealed class Brightness() : Corruption("brightness", CorruptionGroup.Weather)
{
    // Added to the value, in units of [0, 1].
    private static readonly Levels<double> Added = new(
        cifar: [0.05, 0.1, 0.15, 0.2, 0.3],
        tinyImageNet: [0.1, 0.2, 0.3, 0.4, 0.5],
        imageNet: [0.1, 0.2, 0.3, 0.4, 0.5]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        Brighten(image, Added[table, severity], result);

    /// <summary>Adds to the value, in units of [0, 1]; below 0 darkens.</summary>
    public static void Brighten(ImageView image, double added, Span<byte> result)
    {
        using var pixels = Planes.Of(image);
        Colours.Brighten(pixels, (float)(255 * added));
        pixels.CutTo(result);
    }
}
