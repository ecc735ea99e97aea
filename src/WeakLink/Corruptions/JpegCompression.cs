using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Stored as JPEG and read again.</summary>
internal sealed class JpegCompression() : Corruption("jpeg_compression", CorruptionGroup.Digital)
{
    // Quality as libjpeg counts it, 1 ... 100.
    private static readonly Levels<int> Quality = new(
        cifar: [80, 65, 58, 50, 40],
        tinyImageNet: [65, 58, 50, 40, 25],
        imageNet: [25, 18, 15, 10, 7]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        JpegRoundTrip.Apply(image, Quality[table, severity], result);
}
