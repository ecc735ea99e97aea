using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>A smaller image, enlarged again.</summary>
internal sealed class Pixelate() : Corruption("pixelate", CorruptionGroup.Digital)
{
    // Fraction of the pixels of a side that are left.
    private static readonly Levels<double> Left = new(
        cifar: [0.95, 0.9, 0.85, 0.75, 0.65],
        tinyImageNet: [0.9, 0.8, 0.7, 0.6, 0.5],
        imageNet: [0.6, 0.5, 0.4, 0.3, 0.25]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var left = Left[table, severity];
        var (height, width) = (Math.Max((int)(image.Height * left), 1), Math.Max((int)(image.Width * left), 1));
        var small = new byte[ImageView.Channels * height * width];
        BoxScale.Apply(image, height, width, small);
        BoxScale.Apply(new ImageView(small, height, width), image.Height, image.Width, result);
    }
}
