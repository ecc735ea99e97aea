using System.Numerics.Tensors;

namespace WeakLink.Imaging;

/// <summary>Changes of grey levels, each plane by itself, equal to those of Pillow 9.4's <c>ImageOps</c>. All change planes in place.</summary>
internal static class Tones
{
    /// <summary>Stretches each plane so that its least level becomes 0 and its greatest 255; a plane of a single level stays.</summary>
    /// <param name="planes">Three planes.</param>
    public static void AutoContrast(Span<byte> planes)
    {
        Span<byte> table = stackalloc byte[LevelTable.Levels];
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var plane = ImageView.Plane(planes, channel);
            int least = TensorPrimitives.Min<byte>(plane);
            int greatest = TensorPrimitives.Max<byte>(plane);
            if (greatest <= least)
            {
                continue;
            }

            var scale = 255.0 / (greatest - least);
            var offset = -least * scale;
            for (var level = least; level <= greatest; level++)
            {
                table[level] = (byte)Math.Clamp((int)((level * scale) + offset), 0, 255);
            }

            LevelTable.Apply(table, plane);
        }
    }

    /// <summary>Spreads the levels of each plane so that all are about equally frequent.</summary>
    /// <param name="planes">Three planes.</param>
    public static void Equalize(Span<byte> planes)
    {
        Span<int> counts = stackalloc int[LevelTable.Levels];
        Span<byte> table = stackalloc byte[LevelTable.Levels];
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var plane = ImageView.Plane(planes, channel);
            Count(plane, counts);
            // Pillow leaves the brightest level out of the total.
            var step = (plane.Length - counts[counts.LastIndexOfAnyExcept(0)]) / 255;
            if (step == 0)
            {
                continue;
            }

            // A quotient of whole numbers that end in 1/2 is never within rounding of a whole one.
            var (perStep, below) = (1.0 / step, step / 2);
            for (var level = 0; level < table.Length; level++)
            {
                table[level] = (byte)Math.Min((int)((below + 0.5) * perStep), 255);
                below += counts[level];
            }

            LevelTable.Apply(table, plane);
        }
    }

    /// <summary>255 − level.</summary>
    public static void Invert(Span<byte> planes) => TensorPrimitives.OnesComplement<byte>(planes, planes);

    /// <summary>Keeps the highest bits of each level.</summary>
    /// <param name="planes">Three planes.</param>
    /// <param name="bits">How many, 0 (black) ... 8 (no change).</param>
    public static void Posterize(Span<byte> planes, int bits) => TensorPrimitives.BitwiseAnd(planes, (byte)(0xFF << (8 - bits)), planes);

    /// <summary>Inverts the levels that are not below a threshold.</summary>
    /// <param name="planes">Three planes.</param>
    /// <param name="threshold">0 (inverts all) ... 256 (no change).</param>
    public static void Solarize(Span<byte> planes, double threshold)
    {
        Span<byte> table = stackalloc byte[LevelTable.Levels];
        for (var level = 0; level < table.Length; level++)
        {
            table[level] = (byte)(level < threshold ? level : 255 - level);
        }

        LevelTable.Apply(table, planes);
    }

    // Two tables of counts, or equal neighbours would wait for one another.
    private static void Count(ReadOnlySpan<byte> plane, Span<int> counts)
    {
        Span<int> odd = stackalloc int[LevelTable.Levels];
        odd.Clear();
        counts.Clear();
        var i = 0;
        for (; i < plane.Length - 1; i += 2)
        {
            counts[plane[i]]++;
            odd[plane[i + 1]]++;
        }

        if (i < plane.Length)
        {
            counts[plane[i]]++;
        }

        TensorPrimitives.Add<int>(counts, odd, counts);
    }
}
