using System.Runtime.InteropServices;
using SkiaSharp;

namespace WeakLink.Imaging;

/// <summary>
/// A decoded bitmap as people look at it: turned as its file says, and on white paper where it is transparent. Rows are made as they are
/// read, so that a large image lies in memory once.
/// </summary>
internal sealed class UprightImage
{
    /// <summary>How many rows are best read together: where rows are columns of the file, 16 of them share a cache line.</summary>
    public const int RowsTogether = 16;

    private readonly SKBitmap _bitmap;
    private readonly bool _transposed;
    private readonly bool _mirrored;
    private readonly bool _upsideDown;

    /// <summary>Looks at a bitmap.</summary>
    /// <param name="bitmap">Bytes of red, green, blue and alpha, not multiplied by it.</param>
    /// <param name="origin">Where its first row and column belong (Exif 2.3, section 4.6.4, tag Orientation).</param>
    public UprightImage(SKBitmap bitmap, SKEncodedOrigin origin)
    {
        _bitmap = bitmap;
        _transposed = IsTransposed(origin);
        _mirrored = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        _upsideDown = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        (Width, Height) = _transposed ? (bitmap.Height, bitmap.Width) : (bitmap.Width, bitmap.Height);
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Whether rows and columns change places.</summary>
    public static bool IsTransposed(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    /// <summary>Reads rows.</summary>
    /// <param name="top">The first.</param>
    /// <param name="rows">Receives the packed pixels of as many whole rows as it holds.</param>
    public void Read(int top, Span<uint> rows)
    {
        var stored = MemoryMarshal.Cast<byte, uint>(_bitmap.GetPixelSpan());
        if (_transposed)
        {
            ReadColumns(stored, top, rows);
        }
        else
        {
            ReadRows(stored, top, rows);
        }

        if (_bitmap.AlphaType != SKAlphaType.Opaque)
        {
            LayOnWhite(rows);
        }
    }

    private void ReadRows(ReadOnlySpan<uint> stored, int top, Span<uint> rows)
    {
        for (var i = 0; i < rows.Length / Width; i++)
        {
            var row = rows.Slice(i * Width, Width);
            stored.Slice((_upsideDown ? Height - 1 - top - i : top + i) * Width, Width).CopyTo(row);
            if (_mirrored)
            {
                row.Reverse();
            }
        }
    }

    private void ReadColumns(ReadOnlySpan<uint> stored, int top, Span<uint> rows)
    {
        var count = rows.Length / Width;
        for (var y = 0; y < Width; y++)
        {
            var column = stored.Slice(y * Height, Height);
            var x = _mirrored ? Width - 1 - y : y;
            for (var i = 0; i < count; i++)
            {
                rows[(i * Width) + x] = column[_upsideDown ? Height - 1 - top - i : top + i];
            }
        }
    }

    private static void LayOnWhite(Span<uint> pixels)
    {
        foreach (ref var pixel in pixels)
        {
            var alpha = pixel >> 24;
            if (alpha < 255)
            {
                pixel = OnWhite(pixel & 255, alpha) | (OnWhite((pixel >> 8) & 255, alpha) << 8) | (OnWhite((pixel >> 16) & 255, alpha) << 16);
            }
        }
    }

    private static uint OnWhite(uint level, uint alpha) => ((level * alpha) + (255 * (255 - alpha)) + 127) / 255;
}
