using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>The camera moved: a comet-like trace in a random direction.</summary>
internal sealed class MotionBlur() : Corruption("motion_blur", CorruptionGroup.Blur)
{
    private static readonly Levels<(int Radius, double Sigma)> Motion = new(
        cifar: [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
        tinyImageNet: [(10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)],
        imageNet: [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (radius, sigma) = Motion[table, severity];
        Move(image, radius, sigma, random.NextDouble(-45, 45), result);
    }

    /// <inheritdoc cref="MotionFilter.Apply"/>
    public static void Move(ImageView image, int radius, double sigma, double angle, Span<byte> result)
    {
        using var pixels = Planes.Of(image, MotionFilter.Reach(radius));
        using var moved = MotionFilter.Apply(pixels, radius, sigma, angle);
        moved.CutTo(result);
    }
}
