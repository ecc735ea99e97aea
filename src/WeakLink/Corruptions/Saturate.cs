using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Colours fade or scream.</summary>
internal sealed class Saturate() : Corruption("saturate", CorruptionGroup.Digital, heldOut: true)
{
    // New saturation = factor × saturation + added.
    private static readonly Levels<(double Factor, double Added)> Saturation = new(
        cifar: [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
        tinyImageNet: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)],
        imageNet: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (factor, added) = Saturation[table, severity];
        using var pixels = Planes.Of(image);
        Colours.Saturate(pixels, (float)factor, (float)added);
        pixels.CutTo(result);
    }
}
