using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Planes of float pixels in units of 0 ... 255, with a margin around each, in one pooled array. Rows are padded so that whole
/// vectors of <see cref="Lanes"/> pixels may be read and written from any pixel of a row: what lies right of a row is undefined.
/// </summary>
internal sealed class Planes : IDisposable
{
    /// <summary>Pixels in a vector.</summary>
    public const int Lanes = 16;

    // Reads of a whole vector begin at most at the last pixel plus the margin.
    private const int Slack = 4 * Lanes;

    // Values that float32 rounds to just below a whole number would lose a grey level when cut to bytes, as the published code cuts
    // its float64. This is above float32's rounding error, and below what a faint blur (glass of a quarter of a pixel) takes away.
    private const float BelowWhole = 1f / 4096;

    private readonly float[] _values;

    /// <summary>Takes an array with undefined pixels.</summary>
    public Planes(int count, int height, int width, int margin = 0)
    {
        (Count, Height, Width, Margin) = (count, height, width, margin);
        Stride = (width + (2 * margin) + Lanes - 1) / Lanes * Lanes;
        PlaneLength = checked((height + (2 * margin)) * Stride);
        _values = ArrayPool<float>.Shared.Rent(checked((count * PlaneLength) + Slack));
    }

    /// <summary>Planes.</summary>
    public int Count { get; }

    /// <summary>Rows without the margin.</summary>
    public int Height { get; }

    /// <summary>Columns without the margin.</summary>
    public int Width { get; }

    /// <summary>Pixels around each plane.</summary>
    public int Margin { get; }

    /// <summary>From a pixel to the one below it.</summary>
    public int Stride { get; }

    /// <summary>From a pixel to the one in the next plane.</summary>
    public int PlaneLength { get; }

    /// <summary>The array that rows begin in (<see cref="Start"/>).</summary>
    public Span<float> Values => _values;

    /// <summary>All pixels, margins and undefined ones between the rows included: what a step that treats every pixel alike works on.</summary>
    public Span<float> Used => _values.AsSpan(0, Count * PlaneLength);

    /// <summary>Where a row begins in <see cref="Values"/>.</summary>
    public int Start(int plane, int y) => (plane * PlaneLength) + ((y + Margin) * Stride) + Margin;

    /// <summary>A row without its margin.</summary>
    public Span<float> Row(int plane, int y) => _values.AsSpan(Start(plane, y), Width);

    /// <summary>An image as floats.</summary>
    public static Planes Of(ImageView image, int margin = 0)
    {
        var planes = new Planes(ImageView.Channels, image.Height, image.Width, margin);
        for (var (plane, from) = (0, 0); plane < planes.Count; plane++)
        {
            for (var y = 0; y < planes.Height; y++, from += planes.Width)
            {
                ToFloats(image.Planes.Slice(from, planes.Width), planes.Row(plane, y));
            }
        }

        return planes;
    }

    /// <summary>Writes the planes as bytes, cut off (not rounded) as by NumPy's <c>uint8</c>, after limiting them to 0 ... 255.</summary>
    public void CutTo(Span<byte> bytes)
    {
        for (var (plane, to) = (0, 0); plane < Count; plane++)
        {
            for (var y = 0; y < Height; y++, to += Width)
            {
                Cut(Row(plane, y), bytes.Slice(to, Width));
            }
        }
    }

    /// <summary>Gives the margin left and right of every row its values.</summary>
    public void ExtendColumns(Border border)
    {
        for (var plane = 0; plane < Count; plane++)
        {
            for (var y = 0; y < Height; y++)
            {
                var row = _values.AsSpan(Start(plane, y) - Margin, Width + (2 * Margin));
                for (var x = 1; x <= Margin; x++)
                {
                    row[Margin - x] = row[Margin + border.Inside(-x, Width)];
                    row[Margin + Width - 1 + x] = row[Margin + border.Inside(Width - 1 + x, Width)];
                }
            }
        }
    }

    /// <summary>Gives the margin above and below its values, as wide as a row with its margin.</summary>
    public void ExtendRows(Border border)
    {
        for (var plane = 0; plane < Count; plane++)
        {
            for (var y = 1; y <= Margin; y++)
            {
                Whole(plane, border.Inside(-y, Height)).CopyTo(Whole(plane, -y));
                Whole(plane, border.Inside(Height - 1 + y, Height)).CopyTo(Whole(plane, Height - 1 + y));
            }
        }
    }

    /// <summary>Gives the whole margin its values.</summary>
    public void Extend(Border border)
    {
        ExtendColumns(border);
        ExtendRows(border);
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<float>.Shared.Return(_values);

    private Span<float> Whole(int plane, int y) => _values.AsSpan(Start(plane, y) - Margin, Width + (2 * Margin));

    private static void ToFloats(ReadOnlySpan<byte> bytes, Span<float> floats)
    {
        ref var from = ref MemoryMarshal.GetReference(bytes);
        ref var to = ref MemoryMarshal.GetReference(floats);
        var i = 0;
        for (; i <= bytes.Length - Lanes; i += Lanes)
        {
            var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, (nuint)i));
            var (first, second) = Vector256.Widen(Vector256.Create(low, high));
            Vector512.ConvertToSingle(Vector512.Create(first, second).AsInt32()).StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < bytes.Length; i++)
        {
            floats[i] = bytes[i];
        }
    }

    private static void Cut(ReadOnlySpan<float> floats, Span<byte> bytes)
    {
        ref var from = ref MemoryMarshal.GetReference(floats);
        ref var to = ref MemoryMarshal.GetReference(bytes);
        var i = 0;
        for (; i <= floats.Length - Lanes; i += Lanes)
        {
            var value = Vector512.LoadUnsafe(ref from, (nuint)i) + Vector512.Create(BelowWhole);
            var whole = Vector512.ConvertToInt32Native(Vector512.Min(Vector512.Max(value, Vector512<float>.Zero), Vector512.Create(255f)));
            var narrow = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
            Vector128.Narrow(narrow.GetLower(), narrow.GetUpper()).AsByte().StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < floats.Length; i++)
        {
            bytes[i] = (byte)Math.Clamp(floats[i] + BelowWhole, 0, 255);
        }
    }
}
