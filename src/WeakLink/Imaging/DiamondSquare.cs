using System.Numerics.Tensors;

namespace WeakLink.Imaging;

/// <summary>A plasma: the diamond-square algorithm (Fournier, Fussell and Carpenter 1982) on a torus.</summary>
internal static class DiamondSquare
{
    // The published code starts with this and, by what looks like an oversight, uses its square as the amplitude.
    private const double FirstWibble = 100;

    /// <summary>A square plane of values from 0 to 1.</summary>
    /// <param name="size">Pixels on each side; a power of two.</param>
    /// <param name="decay">By what the wibble is divided from one octave to the next.</param>
    /// <param name="random">All draws.</param>
    public static Planes Make(int size, double decay, SeededRandom random)
    {
        var map = new Planes(1, size, size);
        map.Used.Clear();
        var wibble = FirstWibble;
        using var draws = new Planes(1, 1, Math.Max(size / 2, 1));
        for (var step = size; step >= 2; step /= 2, wibble /= decay)
        {
            Fill(map, step, step / 2, step / 2, (float)(wibble * wibble), draws, random);
            Fill(map, step, 0, step / 2, (float)(wibble * wibble), draws, random);
            Fill(map, step, step / 2, 0, (float)(wibble * wibble), draws, random);
        }

        Normalise(map);
        return map;
    }

    // Sets the points at (top, left) of every square of `step` pixels: the mean of their four neighbours and a random part. The
    // neighbours of a square's centre are its corners; those of the middle of a side are left, right, above and below.
    private static void Fill(Planes map, int step, int top, int left, float amplitude, Planes draws, SeededRandom random)
    {
        var (half, size) = (step / 2, map.Height);
        var isCentre = top == left;
        for (var y = top; y < size; y += step)
        {
            var row = map.Row(0, y);
            var above = map.Row(0, (y - half + size) % size);
            var below = map.Row(0, (y + half) % size);
            var draw = draws.Row(0, 0)[..(size / step)];
            random.FillUniform(draw);
            for (var (x, i) = (left, 0); x < size; x += step, i++)
            {
                var (west, east) = ((x - half + size) % size, (x + half) % size);
                var sum = isCentre ? above[west] + above[east] + below[west] + below[east] : above[x] + below[x] + row[west] + row[east];
                row[x] = (0.25f * sum) + (amplitude * ((2 * draw[i]) - 1));
            }
        }
    }

    private static void Normalise(Planes map)
    {
        // The stride of a power of two may be wider than the row.
        var (least, most) = (float.MaxValue, float.MinValue);
        for (var y = 0; y < map.Height; y++)
        {
            least = Math.Min(least, TensorPrimitives.Min<float>(map.Row(0, y)));
            most = Math.Max(most, TensorPrimitives.Max<float>(map.Row(0, y)));
        }

        var scale = most > least ? 1 / (most - least) : 0;
        for (var y = 0; y < map.Height; y++)
        {
            TensorPrimitives.Subtract(map.Row(0, y), least, map.Row(0, y));
            TensorPrimitives.Multiply(map.Row(0, y), scale, map.Row(0, y));
        }
    }
}
