using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Contrast falls: every value moves towards its channel's mean.</summary>
internal sealed class Contrast() : Corruption("contrast", CorruptionGroup.Digital)
{
    // Fraction of the contrast that is left.
    private static readonly Levels<double> Left = new(
        cifar: [0.75, 0.5, 0.4, 0.3, 0.15],
        tinyImageNet: [0.4, 0.3, 0.2, 0.1, 0.05],
        imageNet: [0.4, 0.3, 0.2, 0.1, 0.05]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var left = Left[table, severity];
        using var pixels = Planes.Of(image);
        for (var plane = 0; plane < pixels.Count; plane++)
        {
            var sum = 0.0;
            for (var y = 0; y < pixels.Height; y++)
            {
                sum += TensorPrimitives.Sum<float>(pixels.Row(plane, y));
            }

            var mean = sum / (image.Height * image.Width);
            var values = pixels.Values.Slice(plane * pixels.PlaneLength, pixels.PlaneLength);
            TensorPrimitives.Multiply(values, (float)left, values);
            TensorPrimitives.Add(values, (float)((1 - left) * mean), values);
        }

        pixels.CutTo(result);
    }
}
