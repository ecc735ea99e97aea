using System.Numerics;
using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Clouds of plasma before the image.</summary>
internal sealed class Fog() : Corruption("fog", CorruptionGroup.Weather)
{
    // Thickness in units of the brightest value, and by what the roughness falls from one octave to the next.
    private static readonly Levels<(double Thickness, double Decay)> Clouds = new(
        cifar: [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)],
        tinyImageNet: [(0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)],
        imageNet: [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (thickness, decay) = Clouds[table, severity];
        using var pixels = Planes.Of(image);
        var brightest = (float)TensorPrimitives.Max(image.Planes);
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(image.Height, image.Width));
        using var cloud = DiamondSquare.Make(size, decay, random);
        var shrink = brightest > 0 ? brightest / (brightest + (255 * (float)thickness)) : 0;
        for (var y = 0; y < image.Height; y++)
        {
            var fog = cloud.Row(0, y)[..image.Width];
            TensorPrimitives.Multiply(fog, (float)(255 * thickness), fog);
            for (var plane = 0; plane < pixels.Count; plane++)
            {
                var row = pixels.Row(plane, y);
                TensorPrimitives.AddMultiply(row, fog, shrink, row);
            }
        }

        pixels.CutTo(result);
    }
}
