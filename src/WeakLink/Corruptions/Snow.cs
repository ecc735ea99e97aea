using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Falling flakes, whitened ground.</summary>
internal sealed class Snow() : Corruption("snow", CorruptionGroup.Weather)
{
    private sealed record Fall(double Mean, double Deviation, double Zoom, double Threshold, int Radius, double Sigma, double Kept);

    private static readonly Levels<Fall> Falls = new(
        cifar:
        [
            new(0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            new(0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            new(0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            new(0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            new(0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ],
        tinyImageNet:
        [
            new(0.1, 0.2, 1, 0.6, 8, 3, 0.8),
            new(0.1, 0.2, 1, 0.5, 10, 4, 0.8),
            new(0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
            new(0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
            new(0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ],
        imageNet:
        [
            new(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            new(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            new(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            new(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            new(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var fall = Falls[table, severity];
        using var pixels = Planes.Of(image);
        Whiten(pixels, (float)fall.Kept);
        using var flakes = Flakes(image.Height, image.Width, fall.Mean, fall.Deviation, fall.Zoom, fall.Threshold, fall.Radius, random);
        Add(flakes, fall.Radius, fall.Sigma, random.NextDouble(-135, -45), pixels);
        pixels.CutTo(result);
    }

    /// <summary>Flakes that have not begun to fall, in one plane with the margin that falling needs: whole grey levels.</summary>
    public static Planes Flakes(int height, int width, double mean, double deviation, double zoom, double threshold, int radius, SeededRandom random)
    {
        using var noise = new Planes(1, height, width);
        random.FillNormal(noise.Used);
        TensorPrimitives.Multiply(noise.Used, (float)(255 * deviation), noise.Used);
        TensorPrimitives.Add(noise.Used, (float)(255 * mean), noise.Used);
        var near = new Planes(1, height, width, MotionFilter.Reach(radius));
        near.Used.Clear();
        LinearScale.Add(noise, zoom, near);
        for (var y = 0; y < height; y++)
        {
            foreach (ref var value in near.Row(0, y))
            {
                value = value < (float)(255 * threshold) ? 0 : MathF.Truncate(Math.Min(value, 255));
            }
        }

        return near;
    }

    /// <summary>Adds flakes that fall at an angle (in degrees), and the same turned by half a circle.</summary>
    public static void Add(Planes flakes, int radius, double sigma, double angle, Planes pixels)
    {
        using var falling = MotionFilter.Apply(flakes, radius, sigma, angle);
        TensorPrimitives.Truncate(falling.Used, falling.Used);
        using var turned = new Planes(1, pixels.Height, pixels.Width);
        for (var y = 0; y < pixels.Height; y++)
        {
            falling.Row(0, y).CopyTo(turned.Row(0, pixels.Height - 1 - y));
            turned.Row(0, pixels.Height - 1 - y).Reverse();
        }

        for (var plane = 0; plane < pixels.Count; plane++)
        {
            for (var y = 0; y < pixels.Height; y++)
            {
                var row = pixels.Row(plane, y);
                TensorPrimitives.Add(row, falling.Row(0, y), row);
                TensorPrimitives.Add(row, turned.Row(0, y), row);
            }
        }
    }

    /// <summary>Moves each pixel towards its brightened grey where that is brighter. Grey is OpenCV's weighting (ITU-R BT.601).</summary>
    public static void Whiten(Planes pixels, float kept)
    {
        for (var y = 0; y < pixels.Height; y++)
        {
            var red = pixels.Row(0, y);
            var green = pixels.Row(1, y);
            var blue = pixels.Row(2, y);
            for (var x = 0; x < red.Length; x++)
            {
                var white = (1.5f * ((0.299f * red[x]) + (0.587f * green[x]) + (0.114f * blue[x]))) + 127.5f;
                red[x] = (kept * red[x]) + ((1 - kept) * Math.Max(red[x], white));
                green[x] = (kept * green[x]) + ((1 - kept) * Math.Max(green[x], white));
                blue[x] = (kept * blue[x]) + ((1 - kept) * Math.Max(blue[x], white));
            }
        }
    }
}
