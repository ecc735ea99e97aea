using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Rain (severities 1 to 3) or mud (4 and 5) on the lens.</summary>
internal sealed class Spatter() : Corruption("spatter", CorruptionGroup.Weather, heldOut: true)
{
    private sealed record Splash(double Mean, double Deviation, double Sigma, double Threshold, double Strength, bool IsMud);

    private static readonly Levels<Splash> Splashes = new(
        cifar:
        [
            new(0.62, 0.1, 0.7, 0.7, 0.5, false),
            new(0.65, 0.1, 0.8, 0.7, 0.5, false),
            new(0.65, 0.3, 1, 0.69, 0.5, false),
            new(0.65, 0.1, 0.7, 0.69, 0.6, true),
            new(0.65, 0.1, 0.5, 0.68, 0.6, true),
        ],
        tinyImageNet:
        [
            new(0.62, 0.1, 0.7, 0.7, 0.6, false),
            new(0.65, 0.1, 0.8, 0.7, 0.6, false),
            new(0.65, 0.3, 1, 0.69, 0.6, false),
            new(0.65, 0.1, 0.7, 0.68, 0.6, true),
            new(0.65, 0.1, 0.5, 0.67, 0.6, true),
        ],
        imageNet:
        [
            new(0.65, 0.3, 4, 0.69, 0.6, false),
            new(0.65, 0.3, 3, 0.68, 0.6, false),
            new(0.65, 0.3, 2, 0.68, 0.5, false),
            new(0.65, 0.3, 1, 0.65, 1.5, true),
            new(0.67, 0.4, 1, 0.65, 1.5, true),
        ]);

    // Red, green, blue: pale turquoise water, brown mud.
    private static readonly float[] Water = [175, 238, 238];
    private static readonly float[] Mud = [63, 42, 20];

    // Light from the top left on the drops' edges.
    private static readonly float[] Relief = [-2, -1, 0, -1, 1, 1, 0, 1, 2];
    private static readonly float[] Box = [1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f, 1 / 9f];

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var splash = Splashes[table, severity];
        using var pixels = Planes.Of(image);
        using var liquid = new Planes(1, image.Height, image.Width, GaussianFilter.Radius(splash.Sigma));
        random.FillNormal(liquid.Used);
        TensorPrimitives.Multiply(liquid.Used, (float)splash.Deviation, liquid.Used);
        TensorPrimitives.Add(liquid.Used, (float)splash.Mean, liquid.Used);
        GaussianFilter.Blur(liquid, splash.Sigma);
        if (splash.IsMud)
        {
            AddMud(pixels, liquid, splash);
        }
        else
        {
            AddWater(pixels, Drops(liquid, splash.Threshold), splash.Strength);
        }

        pixels.CutTo(result);
    }

    private static void AddMud(Planes pixels, Planes liquid, Splash splash)
    {
        using var mask = new Planes(1, liquid.Height, liquid.Width, GaussianFilter.Radius(splash.Strength));
        for (var y = 0; y < liquid.Height; y++)
        {
            var from = liquid.Row(0, y);
            var to = mask.Row(0, y);
            for (var x = 0; x < from.Length; x++)
            {
                to[x] = from[x] > splash.Threshold ? 1 : 0;
            }
        }

        GaussianFilter.Blur(mask, splash.Strength);
        for (var y = 0; y < liquid.Height; y++)
        {
            var opacity = mask.Row(0, y);
            foreach (ref var value in opacity)
            {
                value = value < 0.8f ? 0 : value;
            }

            for (var plane = 0; plane < pixels.Count; plane++)
            {
                var row = pixels.Row(plane, y);
                for (var x = 0; x < row.Length; x++)
                {
                    row[x] += opacity[x] * (Mud[plane] - row[x]);
                }
            }
        }
    }

    /// <summary>How much water lies on each pixel, as a byte.</summary>
    /// <param name="liquid">One plane, in units of [0, 1].</param>
    /// <param name="threshold">Less than this does not stay.</param>
    public static byte[] Drops(Planes liquid, double threshold)
    {
        var drops = new byte[liquid.Height * liquid.Width];
        for (var y = 0; y < liquid.Height; y++)
        {
            var row = liquid.Row(0, y);
            for (var x = 0; x < row.Length; x++)
            {
                // Above 1 it starts again from 0, as the published code's bytes do.
                drops[(y * row.Length) + x] = row[x] < threshold ? (byte)0 : (byte)(int)(row[x] * 255);
            }
        }

        return drops;
    }

    /// <summary>Adds drops of water.</summary>
    public static void AddWater(Planes pixels, byte[] drops, double strength)
    {
        var (height, width) = (pixels.Height, pixels.Width);
        using var light = Light(drops, height, width);
        var brightest = 0f;
        for (var y = 0; y < height; y++)
        {
            var row = light.Row(0, y);
            for (var x = 0; x < width; x++)
            {
                row[x] *= drops[(y * width) + x];
            }

            brightest = Math.Max(brightest, TensorPrimitives.Max<float>(row));
        }

        // Without a drop the published code divides 0 by 0, and its image turns black. Here it stays as it is.
        for (var y = 0; y < height && brightest > 0; y++)
        {
            for (var plane = 0; plane < pixels.Count; plane++)
            {
                var row = pixels.Row(plane, y);
                TensorPrimitives.MultiplyAdd(light.Row(0, y), (float)strength * Water[plane] / brightest, row, row);
            }
        }
    }

    /// <summary>How bright a drop is at each pixel: a relief of the distance to the drops' edges.</summary>
    private static Planes Light(byte[] drops, int height, int width)
    {
        const float Farthest = 20;
        var distance = Edges.Distance(Edges.Canny(drops, height, width, 50, 150), height, width);
        using var relief = new Planes(1, height, width, margin: 1);
        for (var y = 0; y < height; y++)
        {
            TensorPrimitives.Min(distance.AsSpan(y * width, width), Farthest, relief.Row(0, y));
        }

        using var smooth = Filtered(relief, Box);
        var bytes = new byte[height * width];
        smooth.CutTo(bytes);
        Histogram.Equalize(bytes);
        for (var y = 0; y < height; y++)
        {
            TensorPrimitives.ConvertTruncating<byte, float>(bytes.AsSpan(y * width, width), smooth.Row(0, y));
        }

        using var lit = Filtered(smooth, Relief);
        for (var y = 0; y < height; y++)
        {
            TensorPrimitives.Clamp(lit.Row(0, y), 0, 255, lit.Row(0, y));
        }

        var light = Filtered(lit, Box);
        TensorPrimitives.Round(light.Used, light.Used);
        return light;
    }

    private static Planes Filtered(Planes image, float[] weights)
    {
        var stride = image.Stride;
        ReadOnlySpan<int> offsets = [-stride - 1, -stride, -stride + 1, -1, 0, 1, stride - 1, stride, stride + 1];
        var result = new Planes(1, image.Height, image.Width, margin: 1);
        image.Extend(Border.Mirror);
        Correlation.Apply(image, offsets, weights, result);
        return result;
    }
}
