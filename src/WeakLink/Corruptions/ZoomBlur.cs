using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>The camera moved towards the scene: the mean of the image and its middle enlarged more and more.</summary>
internal sealed class ZoomBlur() : Corruption("zoom_blur", CorruptionGroup.Blur)
{
    // Enlargements are 1, 1 + step, ...: as many as NumPy's arange gives, its rounding included.
    private static readonly Levels<(double Step, int Count)> Zooms = new(
        cifar: [(0.01, 7), (0.01, 12), (0.01, 16), (0.01, 21), (0.01, 26)],
        tinyImageNet: [(0.01, 7), (0.01, 12), (0.01, 16), (0.01, 21), (0.01, 26)],
        imageNet: [(0.01, 12), (0.01, 16), (0.02, 11), (0.02, 13), (0.03, 11)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (step, count) = Zooms[table, severity];
        using var pixels = Planes.Of(image);
        using var sum = Planes.Of(image);
        // NumPy's arange adds the difference of its first two numbers, rounded: 1.25 lies above 32.5 / 26, and that decides a size.
        var difference = (1 + step) - 1;
        for (var zoom = 0; zoom < count; zoom++)
        {
            LinearScale.Add(pixels, 1 + (zoom * difference), sum);
        }

        TensorPrimitives.Divide(sum.Used, count + 1, sum.Used);
        sum.CutTo(result);
    }
}
