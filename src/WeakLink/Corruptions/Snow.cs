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
        using var flakes = Flakes(fall, image.Height, image.Width, random);
        for (var plane = 0; plane < pixels.Count; plane++)
        {
            for (var y = 0; y < pixels.Height; y++)
            {
                // The flakes once more, turned by half a circle.
                var row = pixels.Row(plane, y);
                TensorPrimitives.Add(row, flakes.Row(0, y), row);
                TensorPrimitives.Add(row, flakes.Row(1, y), row);
            }
        }

        pixels.CutTo(result);
    }

    /// <summary>Flakes that fall, and in the second plane the same turned by half a circle; whole grey levels.</summary>
    private static Planes Flakes(Fall fall, int height, int width, SeededRandom random)
    {
        using var noise = new Planes(1, height, width);
        random.FillNormal(noise.Used);
        TensorPrimitives.Multiply(noise.Used, (float)(255 * fall.Deviation), noise.Used);
        TensorPrimitives.Add(noise.Used, (float)(255 * fall.Mean), noise.Used);
        using var near = new Planes(1, height, width, MotionFilter.Reach(fall.Radius));
        near.Used.Clear();
        LinearScale.Add(noise, fall.Zoom, near);
        var threshold = (float)(255 * fall.Threshold);
        for (var y = 0; y < height; y++)
        {
            foreach (ref var value in near.Row(0, y))
            {
                value = value < threshold ? 0 : MathF.Truncate(Math.Min(value, 255));
            }
        }

        using var moved = MotionFilter.Apply(near, fall.Radius, fall.Sigma, random.NextDouble(-135, -45));
        TensorPrimitives.Truncate(moved.Used, moved.Used);
        var flakes = new Planes(2, height, width);
        for (var y = 0; y < height; y++)
        {
            moved.Row(0, y).CopyTo(flakes.Row(0, y));
            moved.Row(0, y).CopyTo(flakes.Row(1, height - 1 - y));
            flakes.Row(1, height - 1 - y).Reverse();
        }

        return flakes;
    }

    // Towards its brightened grey where that is brighter. Grey is OpenCV's weighting (ITU-R BT.601).
    private static void Whiten(Planes pixels, float kept)
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
