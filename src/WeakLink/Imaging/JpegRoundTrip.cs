using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// What JPEG does to an image, without the file: colours to luma and chroma, chroma at half the resolution, discrete cosine
/// transform, rounding to multiples of the quantisation tables, and back. Integer arithmetic as in libjpeg's default settings, to the
/// bit; entropy coding, which loses nothing and takes most of the time, is left out. Sources: ITU-T T.81; the arithmetic of the
/// "islow" transforms (Loeffler, Ligtenberg and Moschytz 1989) and of the "fancy" upsampling is libjpeg's.
/// </summary>
internal static class JpegRoundTrip
{
    private const int Block = 8;
    private const int Unit = 2 * Block;
    private const int Lanes = 16;
    private const int Slack = 2 * Lanes;
    private const int Constant = 13;
    private const int Extra = 2;

    // ITU-T T.81, tables K.1 and K.2.
    private static readonly int[] LumaTable =
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];

    private static readonly int[] ChromaTable =
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];

    /// <summary>Stores an image as JPEG and reads it again, as it were.</summary>
    /// <param name="image">The image.</param>
    /// <param name="quality">1 ... 100, as libjpeg counts it.</param>
    /// <param name="result">Receives as many bytes as the image has.</param>
    public static void Apply(ImageView image, int quality, Span<byte> result)
    {
        var (height, width) = (RoundUp(image.Height, Unit), RoundUp(image.Width, Unit));
        var (area, quarter) = (height * width, height / 2 * (width / 2));
        var pool = ArrayPool<int>.Shared;
        var luma = pool.Rent(area + Slack);
        var chroma = pool.Rent((2 * area) + Slack);
        var small = pool.Rent((2 * quarter) + Slack);

        Separate(image, luma, chroma, chroma.AsSpan(area), width, height);
        for (var plane = 0; plane < 2; plane++)
        {
            var half = small.AsSpan(plane * quarter, quarter);
            Halve(chroma.AsSpan(plane * area, area), half, image.Height, width, height);
            Quantise(half, width / 2, height / 2, Scaled(ChromaTable, quality));
        }

        Quantise(luma.AsSpan(0, area), width, height, Scaled(LumaTable, quality));
        // The full planes of chroma are needed no more: their doubled successors take their place.
        var doubled = MemoryMarshal.Cast<int, short>(chroma.AsSpan(0, area));
        for (var plane = 0; plane < 2; plane++)
        {
            Double(small.AsSpan(plane * quarter, quarter), doubled.Slice(plane * area, area), image.Height, image.Width, width);
        }

        Join(luma, doubled[..area], doubled[area..], width, image.Height, image.Width, result);
        pool.Return(luma);
        pool.Return(chroma);
        pool.Return(small);
    }

    private static int RoundUp(int length, int multiple) => (length + multiple - 1) / multiple * multiple;

    // libjpeg's jpeg_quality_scaling and jpeg_add_quant_table, limited to baseline JPEG.
    private static int[] Scaled(int[] table, int quality)
    {
        var scale = quality < 50 ? 5000 / quality : 200 - (2 * quality);
        return [.. table.Select(value => Math.Clamp(((value * scale) + 50) / 100, 1, 255))];
    }

    // To luma and chroma around 128, the last column and row repeated up to a whole unit. 16 bits after the point.
    private static void Separate(ImageView image, Span<int> luma, Span<int> blueness, Span<int> redness, int width, int height)
    {
        const int Half = 1 << 15;
        const int Middle = (128 << 16) + Half - 1;
        Span<byte> colours = stackalloc byte[3 * Lanes];
        for (var y = 0; y < image.Height; y++)
        {
            var to = y * width;
            for (var x = 0; x < image.Width; x += Lanes)
            {
                var from = (y * image.Width) + x;
                var count = Math.Min(Lanes, image.Width - x);
                for (var channel = 0; channel < ImageView.Channels; channel++)
                {
                    image.Plane(channel).Slice(from, count).CopyTo(colours[(channel * Lanes)..]);
                }

                var (red, green, blue) = (Widened(colours), Widened(colours[Lanes..]), Widened(colours[(2 * Lanes)..]));
                (((red * 19595) + (green * 38470) + (blue * 7471) + Vector512.Create(Half)) >> 16).CopyTo(luma[(to + x)..]);
                (((red * -11059) + (green * -21709) + (blue * 32768) + Vector512.Create(Middle)) >> 16).CopyTo(blueness[(to + x)..]);
                (((red * 32768) + (green * -27439) + (blue * -5329) + Vector512.Create(Middle)) >> 16).CopyTo(redness[(to + x)..]);
            }

            luma[(to + image.Width)..(to + width)].Fill(luma[to + image.Width - 1]);
            blueness[(to + image.Width)..(to + width)].Fill(blueness[to + image.Width - 1]);
            redness[(to + image.Width)..(to + width)].Fill(redness[to + image.Width - 1]);
        }

        for (var y = image.Height; y < height; y++)
        {
            var last = (image.Height - 1) * width;
            luma.Slice(last, width).CopyTo(luma[(y * width)..]);
            blueness.Slice(last, width).CopyTo(blueness[(y * width)..]);
            redness.Slice(last, width).CopyTo(redness[(y * width)..]);
        }
    }

    // Means of 2×2 pixels, rounded down and up in turns.
    private static void Halve(ReadOnlySpan<int> plane, Span<int> half, int imageHeight, int width, int height)
    {
        var rows = (imageHeight + 1) / 2;
        var columns = width / 2;
        var rounding = Vector256.Create(1, 2, 1, 2, 1, 2, 1, 2);
        for (var y = 0; y < rows; y++)
        {
            ref readonly var above = ref plane[2 * y * width];
            ref readonly var below = ref plane[((2 * y) + 1) * width];
            var row = half.Slice(y * columns, columns);
            for (var x = 0; x < columns; x += Block)
            {
                var sums = Vector512.LoadUnsafe(in above, (nuint)(2 * x)) + Vector512.LoadUnsafe(in below, (nuint)(2 * x));
                var pairs = sums.AsUInt64() + (sums.AsUInt64() >> 32);
                ((Vector256.Narrow(pairs.GetLower(), pairs.GetUpper()).AsInt32() + rounding) >> 2).CopyTo(row[x..]);
            }
        }

        // The last mean is repeated, not the last pixel.
        for (var y = rows; y < height / 2; y++)
        {
            half.Slice((rows - 1) * (width / 2), width / 2).CopyTo(half[(y * (width / 2))..]);
        }
    }

    // Each block to its cosines, rounded to the table's multiples, and back to values of 0 ... 255. Two blocks side by side fill a vector.
    private static void Quantise(Span<int> plane, int width, int height, int[] table)
    {
        Span<Vector512<int>> rows = stackalloc Vector512<int>[Block];
        Span<Vector512<int>> steps = stackalloc Vector512<int>[Block];
        for (var i = 0; i < Block; i++)
        {
            var step = Vector256.Create(table.AsSpan(i * Block, Block));
            steps[i] = Vector512.Create(step, step);
        }

        for (var top = 0; top < height; top += Block)
        {
            for (var left = 0; left < width; left += 2 * Block)
            {
                ref var corner = ref plane[(top * width) + left];
                var isPair = left + (2 * Block) <= width;
                for (var i = 0; i < Block; i++)
                {
                    var values = isPair
                        ? Vector512.LoadUnsafe(ref corner, (nuint)(i * width))
                        : Vector512.Create(Vector256.LoadUnsafe(ref corner, (nuint)(i * width)), Vector256<int>.Zero);
                    rows[i] = values - Vector512.Create(128);
                }

                Transpose(rows);
                Forward(rows, isFirst: true);
                Transpose(rows);
                Forward(rows, isFirst: false);
                var waves = Vector512<int>.Zero;
                for (var i = 0; i < Block; i++)
                {
                    rows[i] = Rounded(rows[i], steps[i]);
                    waves |= i == 0 ? rows[0].WithElement(0, 0).WithElement(Block, 0) : rows[i];
                }

                if (waves == Vector512<int>.Zero)
                {
                    // One colour each, as most blocks of chroma are.
                    rows.Fill(Vector512.Create(Vector256.Create((rows[0][0] + 4) >> 3), Vector256.Create((rows[0][Block] + 4) >> 3)));
                }
                else
                {
                    Inverse(rows, Constant - Extra);
                    Transpose(rows);
                    Inverse(rows, Constant + Extra + 3);
                    Transpose(rows);
                }

                for (var i = 0; i < Block; i++)
                {
                    var value = Vector512.Min(Vector512.Max(rows[i] + Vector512.Create(128), Vector512<int>.Zero), Vector512.Create(255));
                    if (isPair)
                    {
                        value.StoreUnsafe(ref corner, (nuint)(i * width));
                    }
                    else
                    {
                        value.GetLower().StoreUnsafe(ref corner, (nuint)(i * width));
                    }
                }
            }
        }
    }

    // The nearest multiple of a step, halves away from zero. Cosines carry a factor of 8. Float32 divides numbers of 16 bits exactly enough.
    private static Vector512<int> Rounded(Vector512<int> cosines, Vector512<int> steps)
    {
        var divisor = steps << 3;
        var sign = cosines >> 31;
        var size = (cosines ^ sign) - sign;
        var count = Vector512.ConvertToInt32(Vector512.ConvertToSingle(size + (divisor >> 1)) / Vector512.ConvertToSingle(divisor));
        return ((count * steps) ^ sign) - sign;
    }

    // One-dimensional transform of eight vectors; the first pass keeps two bits more.
    private static void Forward(Span<Vector512<int>> d, bool isFirst)
    {
        var (t0, t7, t1, t6) = (d[0] + d[7], d[0] - d[7], d[1] + d[6], d[1] - d[6]);
        var (t2, t5, t3, t4) = (d[2] + d[5], d[2] - d[5], d[3] + d[4], d[3] - d[4]);
        var (t10, t13, t11, t12) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
        var shift = isFirst ? Constant - Extra : Constant + Extra;
        d[0] = isFirst ? (t10 + t11) << Extra : Descaled(t10 + t11, Extra);
        d[4] = isFirst ? (t10 - t11) << Extra : Descaled(t10 - t11, Extra);
        var z1 = (t12 + t13) * 4433;
        d[2] = Descaled(z1 + (t13 * 6270), shift);
        d[6] = Descaled(z1 - (t12 * 15137), shift);

        var z5 = (t4 + t6 + t5 + t7) * 9633;
        z1 = (t4 + t7) * -7373;
        var z2 = (t5 + t6) * -20995;
        var z3 = ((t4 + t6) * -16069) + z5;
        var z4 = ((t5 + t7) * -3196) + z5;
        d[7] = Descaled((t4 * 2446) + z1 + z3, shift);
        d[5] = Descaled((t5 * 16819) + z2 + z4, shift);
        d[3] = Descaled((t6 * 25172) + z2 + z3, shift);
        d[1] = Descaled((t7 * 12299) + z1 + z4, shift);
    }

    private static void Inverse(Span<Vector512<int>> d, int shift)
    {
        var z1 = (d[2] + d[6]) * 4433;
        var t2 = z1 - (d[6] * 15137);
        var t3 = z1 + (d[2] * 6270);
        var t0 = (d[0] + d[4]) << Constant;
        var t1 = (d[0] - d[4]) << Constant;
        var (t10, t13, t11, t12) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);

        var (i1, i3, i5, i7) = (d[1], d[3], d[5], d[7]);
        var z5 = (i7 + i3 + i5 + i1) * 9633;
        z1 = (i7 + i1) * -7373;
        var z2 = (i5 + i3) * -20995;
        var z3 = ((i7 + i3) * -16069) + z5;
        var z4 = ((i5 + i1) * -3196) + z5;
        t0 = (i7 * 2446) + z1 + z3;
        t1 = (i5 * 16819) + z2 + z4;
        t2 = (i3 * 25172) + z2 + z3;
        t3 = (i1 * 12299) + z1 + z4;
        (d[0], d[7]) = (Descaled(t10 + t3, shift), Descaled(t10 - t3, shift));
        (d[1], d[6]) = (Descaled(t11 + t2, shift), Descaled(t11 - t2, shift));
        (d[2], d[5]) = (Descaled(t12 + t1, shift), Descaled(t12 - t1, shift));
        (d[3], d[4]) = (Descaled(t13 + t0, shift), Descaled(t13 - t0, shift));
    }

    private static Vector512<int> Descaled(Vector512<int> value, int shift) => (value + Vector512.Create(1 << (shift - 1))) >> shift;

    // Within each half: swaps quarters, then quarters of quarters, then single numbers.
    private static void Transpose(Span<Vector512<int>> rows)
    {
        var four = Vector512.Create(-1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0);
        var two = Vector512.Create(-1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0);
        var one = Vector512.Create(-1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0);
        for (var i = 0; i < 4; i++)
        {
            var (a, b) = (rows[i], rows[i + 4]);
            rows[i] = Vector512.ConditionalSelect(four, a, Vector512.Shuffle(b, Vector512.Create(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)));
            rows[i + 4] = Vector512.ConditionalSelect(four, Vector512.Shuffle(a, Vector512.Create(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)), b);
        }

        foreach (var i in (ReadOnlySpan<int>)[0, 1, 4, 5])
        {
            var (a, b) = (rows[i], rows[i + 2]);
            rows[i] = Vector512.ConditionalSelect(two, a, Vector512.Shuffle(b, Vector512.Create(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)));
            rows[i + 2] = Vector512.ConditionalSelect(two, Vector512.Shuffle(a, Vector512.Create(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)), b);
        }

        for (var i = 0; i < Block; i += 2)
        {
            var (a, b) = (rows[i], rows[i + 1]);
            rows[i] = Vector512.ConditionalSelect(one, a, Vector512.Shuffle(b, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)));
            rows[i + 1] = Vector512.ConditionalSelect(one, Vector512.Shuffle(a, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)), b);
        }
    }

    // Back to the full size: three parts of the nearer and one of the farther pixel, downwards and then across. Very narrow planes are repeated.
    private static void Double(ReadOnlySpan<int> half, Span<short> plane, int imageHeight, int imageWidth, int width)
    {
        var (rows, columns, stride) = ((imageHeight + 1) / 2, (imageWidth + 1) / 2, width / 2);
        // One more on each side, equal to its neighbour.
        var sums = ArrayPool<int>.Shared.Rent(stride + Slack);
        for (var y = 0; y < imageHeight; y++)
        {
            var near = half.Slice(y / 2 * stride, stride);
            var row = plane.Slice(y * width, width);
            if (columns <= 2)
            {
                for (var x = 0; x < imageWidth; x++)
                {
                    row[x] = (short)near[x / 2];
                }

                continue;
            }

            var far = half.Slice(Math.Clamp((y / 2) + ((y & 1) == 0 ? -1 : 1), 0, rows - 1) * stride, stride);
            for (var x = 0; x < stride; x += Block)
            {
                ((Vector256.Create(near.Slice(x, Block)) * 3) + Vector256.Create(far.Slice(x, Block))).CopyTo(sums, x + 1);
            }

            (sums[0], sums[columns + 1]) = (sums[1], sums[columns]);
            var pairs = MemoryMarshal.Cast<short, int>(row);
            for (var x = 0; x < stride; x += Block)
            {
                var middle = Vector256.Create<int>(sums.AsSpan(x + 1, Block)) * 3;
                var left = (middle + Vector256.Create<int>(sums.AsSpan(x, Block)) + Vector256.Create(8)) >> 4;
                var right = (middle + Vector256.Create<int>(sums.AsSpan(x + 2, Block)) + Vector256.Create(7)) >> 4;
                (left | (right << 16)).CopyTo(pairs[x..]);
            }
        }

        ArrayPool<int>.Shared.Return(sums);
    }

    private static void Join(ReadOnlySpan<int> luma, ReadOnlySpan<short> blueness, ReadOnlySpan<short> redness, int width, int imageHeight, int imageWidth, Span<byte> result)
    {
        var area = imageHeight * imageWidth;
        var half = Vector512.Create(1 << 15);
        for (var y = 0; y < imageHeight; y++)
        {
            for (var x = 0; x < imageWidth; x += Lanes)
            {
                var from = (y * width) + x;
                var light = Vector512.Create(luma.Slice(from, Lanes));
                var blue = Centred(blueness.Slice(from, Lanes));
                var red = Centred(redness.Slice(from, Lanes));
                var to = (y * imageWidth) + x;
                var count = Math.Min(Lanes, imageWidth - x);
                Store(light + (((red * 91881) + half) >> 16), result.Slice(to, count));
                Store(light + (((blue * -22554) + (red * -46802) + half) >> 16), result.Slice(area + to, count));
                Store(light + (((blue * 116130) + half) >> 16), result.Slice((2 * area) + to, count));
            }
        }
    }

    private static Vector512<int> Centred(ReadOnlySpan<short> values)
    {
        var (low, high) = Vector256.Widen(Vector256.Create(values));
        return Vector512.Create(low, high) - Vector512.Create(128);
    }

    private static Vector512<int> Widened(ReadOnlySpan<byte> bytes)
    {
        var (low, high) = Vector128.Widen(Vector128.Create(bytes));
        var (first, second) = Vector256.Widen(Vector256.Create(low, high));
        return Vector512.Create(first, second).AsInt32();
    }

    private static void Store(Vector512<int> values, Span<byte> bytes)
    {
        var limited = Vector512.Min(Vector512.Max(values, Vector512<int>.Zero), Vector512.Create(255));
        var narrow = Vector256.Narrow(limited.GetLower(), limited.GetUpper());
        var packed = Vector128.Narrow(narrow.GetLower(), narrow.GetUpper()).AsByte();
        if (bytes.Length == Lanes)
        {
            packed.CopyTo(bytes);
            return;
        }

        Span<byte> all = stackalloc byte[Lanes];
        packed.CopyTo(all);
        all[..bytes.Length].CopyTo(bytes);
    }
}
