using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace WeakLink.Imaging;

/// <summary>Images moved, turned and sheared as by Pillow 9.4's <c>transform</c>; what lies outside is of one grey level.</summary>
internal static class AffineSampling
{
    // Pillow's nearest-pixel transform counts in 65,536ths of a pixel.
    private const int FractionBits = 16;
    private const long One = 1L << FractionBits;

    /// <summary>Every pixel becomes the one that its middle falls on.</summary>
    /// <param name="image">The image.</param>
    /// <param name="map">From the result to the image.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="result">Receives 3 × height × width bytes.</param>
    /// <param name="outside">Grey level of what lies outside.</param>
    public static void Nearest(ImageView image, AffineMap map, int height, int width, Span<byte> result, byte outside = 0)
    {
        var (a, b, d, e) = (ToFixed(map.A), ToFixed(map.B), ToFixed(map.D), ToFixed(map.E));
        var (startX, startY) = (ToFixed(map.C + (map.A * 0.5) + (map.B * 0.5)), ToFixed(map.F + (map.D * 0.5) + (map.E * 0.5)));
        if (map is { B: 0, D: 0 })
        {
            // Without a turn or a shear Pillow doesn't round to fractions.
            (startX, startY) = ((long)Math.Floor(map.C + (map.A * 0.5)) << FractionBits, (long)Math.Floor(map.F + (map.E * 0.5)) << FractionBits);
        }

        if (a == One && d == 0)
        {
            Shift(image, startX, b, startY, e, height, width, result, outside);
            return;
        }

        var packed = ArrayPool<uint>.Shared.Rent(image.Height * image.Width);
        var rows = ArrayPool<uint>.Shared.Rent(width);
        PackedPixels.Pack(image, 0, packed.AsSpan(0, image.Height * image.Width));
        ref var pixels = ref MemoryMarshal.GetArrayDataReference(packed);
        ref var row = ref MemoryMarshal.GetArrayDataReference(rows);
        for (var y = 0; y < height; y++, startX += b, startY += e)
        {
            var (firstX, lastX) = Inside(startX, a, image.Width, width);
            var (firstY, lastY) = Inside(startY, d, image.Height, width);
            var (first, last) = (Math.Max(firstX, firstY), Math.Min(lastX, lastY));
            var (inX, inY) = (startX + (first * a), startY + (first * d));
            rows.AsSpan(0, width).Fill(PackedPixels.Grey(outside));
            for (var x = first; x < last; x++, inX += a, inY += d)
            {
                Unsafe.Add(ref row, (nint)x) = Unsafe.Add(ref pixels, (nint)(((inY >> FractionBits) * image.Width) + (inX >> FractionBits)));
            }

            PackedPixels.Unpack(rows.AsSpan(0, width), result, y * width);
        }

        ArrayPool<uint>.Shared.Return(packed);
        ArrayPool<uint>.Shared.Return(rows);
    }

    /// <summary>Every pixel becomes the image's value at its middle, linear between the four pixels around, cut to a byte.</summary>
    /// <inheritdoc cref="Nearest"/>
    public static void Linear(ImageView image, AffineMap map, int height, int width, Span<byte> result, byte outside = 0)
    {
        if (map is { A: 1, B: 0, D: 0, E: 1 } && double.IsInteger(map.C) && double.IsInteger(map.F))
        {
            Shift(image, (long)map.C << FractionBits, 0, (long)map.F << FractionBits, One, height, width, result, outside);
            return;
        }

        // Half a pixel beyond the outermost middles lie the image's edges: the border is repeated once.
        var stride = image.Width + 2;
        var packed = ArrayPool<uint>.Shared.Rent(stride * (image.Height + 2));
        Extend(image, packed);
        var whole = BitOperations.RoundUpToPowerOf2((uint)Math.Max(width, Vector512<double>.Count));
        var places = ArrayPool<long>.Shared.Rent((int)whole);
        var weights = ArrayPool<double>.Shared.Rent(2 * (int)whole);
        var rows = ArrayPool<uint>.Shared.Rent(width);
        var across = weights.AsSpan(0, (int)whole);
        var down = weights.AsSpan((int)whole, (int)whole);
        for (var y = 0; y < height; y++)
        {
            var (first, last) = Places(image, map, y, width, stride, places, across, down);
            rows.AsSpan(0, width).Fill(PackedPixels.Grey(outside));
            if (Avx2.IsSupported)
            {
                BlendFour(packed, stride, places, across, down, first, last, rows);
            }
            else
            {
                BlendOne(packed, stride, places, across, down, first, last, rows);
            }

            PackedPixels.Unpack(rows.AsSpan(0, width), result, y * width);
        }

        ArrayPool<uint>.Shared.Return(packed);
        ArrayPool<long>.Shared.Return(places);
        ArrayPool<double>.Shared.Return(weights);
        ArrayPool<uint>.Shared.Return(rows);
    }

    // Every row of the result is a stretch of a row of the image.
    private static void Shift(ImageView image, long startX, long perRowX, long startY, long perRowY, int height, int width, Span<byte> result, byte outside)
    {
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var plane = image.Plane(channel);
            var (inX, inY) = (startX, startY);
            for (var y = 0; y < height; y++, inX += perRowX, inY += perRowY)
            {
                var row = result.Slice(((channel * height) + y) * width, width);
                var (left, from) = (inX >> FractionBits, inY >> FractionBits);
                var first = (int)Math.Clamp(-left, 0, width);
                var last = (int)Math.Clamp(image.Width - left, first, width);
                if ((ulong)from >= (ulong)image.Height)
                {
                    last = first;
                }

                row[..first].Fill(outside);
                row[last..].Fill(outside);
                if (last > first)
                {
                    plane.Slice((int)((from * image.Width) + left + first), last - first).CopyTo(row[first..]);
                }
            }
        }
    }

    // Which pixels of a row lie at 0 ... limit − 1 pixels.
    private static (int First, int Last) Inside(long start, long step, int limit, int length)
    {
        var end = (long)limit << FractionBits;
        if (step == 0)
        {
            return start >= 0 && start < end ? (0, length) : (0, 0);
        }

        // How many steps it takes to reach 0 and the end, or on the way back to get below them.
        var (first, last) = step > 0 ? (Ceiling(-start, step), Ceiling(end - start, step)) : (Ceiling(start - end + 1, -step), Ceiling(start + 1, -step));
        return ((int)Math.Clamp(first, 0, length), (int)Math.Clamp(last, 0, length));
    }

    private static long Ceiling(long value, long positive) => (value / positive) + (value % positive > 0 ? 1 : 0);

    private static long ToFixed(double value) => (long)Math.Floor((value * One) + 0.5);

    private static void Extend(ImageView image, uint[] packed)
    {
        var (height, width, stride) = (image.Height, image.Width, image.Width + 2);
        for (var y = 0; y < height; y++)
        {
            var row = packed.AsSpan((y + 1) * stride, stride);
            PackedPixels.Pack(image, y * width, row.Slice(1, width));
            (row[0], row[^1]) = (row[1], row[^2]);
        }

        packed.AsSpan(stride, stride).CopyTo(packed);
        packed.AsSpan(height * stride, stride).CopyTo(packed.AsSpan((height + 1) * stride));
    }

    /// <summary>Where the pixels of a row lie.</summary>
    /// <param name="image">The image.</param>
    /// <param name="map">From the result to the image.</param>
    /// <param name="y">Row of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="stride">From a pixel to the one below it in the extended image.</param>
    /// <param name="places">Receives the pixel above and left of each place, in the extended image.</param>
    /// <param name="across">Receives the weights of the pixels on the right.</param>
    /// <param name="down">Receives the weights of the pixels below.</param>
    /// <returns>Which of them lie inside: an interval, as each coordinate only grows or only falls along a row.</returns>
    private static (int First, int Last) Places(
        ImageView image, AffineMap map, int y, int width, int stride, long[] places, Span<double> across, Span<double> down)
    {
        ref var toPlace = ref MemoryMarshal.GetArrayDataReference(places);
        ref var toAcross = ref MemoryMarshal.GetReference(across);
        ref var toDown = ref MemoryMarshal.GetReference(down);
        var (addX, addY) = (Vector512.Create(map.B * (y + 0.5)), Vector512.Create(map.E * (y + 0.5)));
        var (first, last) = (width, 0);
        var middles = Vector512.CreateSequence(0.5, 1.0);
        for (var x = 0; x < width; x += Vector512<double>.Count, middles += Vector512.Create((double)Vector512<double>.Count))
        {
            // Added in Pillow's order: another one may round to another pixel.
            var inX = (middles * map.A) + addX + Vector512.Create(map.C);
            var inY = (middles * map.D) + addY + Vector512.Create(map.F);
            var inside = Vector512.GreaterThanOrEqual(inX, Vector512<double>.Zero) & Vector512.LessThan(inX, Vector512.Create((double)image.Width))
                & Vector512.GreaterThanOrEqual(inY, Vector512<double>.Zero) & Vector512.LessThan(inY, Vector512.Create((double)image.Height));
            var bits = (uint)inside.ExtractMostSignificantBits();
            if (bits == 0)
            {
                continue;
            }

            first = Math.Min(first, x + BitOperations.TrailingZeroCount(bits));
            last = Math.Min(x + 1 + BitOperations.Log2(bits), width);
            inX -= Vector512.Create(0.5);
            inY -= Vector512.Create(0.5);
            var (left, top) = (Vector512.Floor(inX), Vector512.Floor(inY));
            (inX - left).StoreUnsafe(ref toAcross, (nuint)x);
            (inY - top).StoreUnsafe(ref toDown, (nuint)x);
            var place = ((top + Vector512<double>.One) * stride) + left + Vector512<double>.One;
            Vector512.ConvertToInt64Native(place).StoreUnsafe(ref toPlace, (nuint)x);
        }

        return (first, last);
    }

    // All channels of a pixel at once, in double precision as Pillow does it.
    private static unsafe void BlendFour(
        uint[] packed, int stride, long[] places, ReadOnlySpan<double> across, ReadOnlySpan<double> down, int first, int last, uint[] row)
    {
        var lowBytes = Vector128.Create((byte)0, 4, 8, 12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
        fixed (uint* pixels = packed, to = row)
        {
            fixed (long* at = places)
            {
                for (var x = first; x < last; x++)
                {
                    var above = pixels + at[x];
                    var below = above + stride;
                    var (right, lower) = (Vector256.Create(across[x]), Vector256.Create(down[x]));
                    var upper = Between(Channels(above), Channels(above + 1), right);
                    var value = upper + ((Between(Channels(below), Channels(below + 1), right) - upper) * lower);
                    to[x] = Vector128.Shuffle(Avx.ConvertToVector128Int32WithTruncation(value).AsByte(), lowBytes).AsUInt32().ToScalar();
                }
            }
        }

        static Vector128<int> Channels(uint* pixel) => Sse41.ConvertToVector128Int32((byte*)pixel);

        static Vector256<double> Between(Vector128<int> from, Vector128<int> to, Vector256<double> weight) =>
            Avx.ConvertToVector256Double(from) + (weight * Avx.ConvertToVector256Double(to - from));
    }

    private static void BlendOne(
        uint[] packed, int stride, long[] places, ReadOnlySpan<double> across, ReadOnlySpan<double> down, int first, int last, uint[] row)
    {
        for (var x = first; x < last; x++)
        {
            var place = (int)places[x];
            row[x] = 0;
            for (var shift = 0; shift < 24; shift += 8)
            {
                var (topLeft, topRight) = (Channel(place), Channel(place + 1));
                var (bottomLeft, bottomRight) = (Channel(place + stride), Channel(place + stride + 1));
                var upper = topLeft + (across[x] * (topRight - topLeft));
                var lower = bottomLeft + (across[x] * (bottomRight - bottomLeft));
                row[x] |= (uint)(byte)(upper + (down[x] * (lower - upper))) << shift;

                int Channel(int pixel) => (byte)(packed[pixel] >> shift);
            }
        }
    }
}
