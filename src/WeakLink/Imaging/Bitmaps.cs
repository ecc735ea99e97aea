using System.Numerics;
using System.Runtime.InteropServices;
using SkiaSharp;
using WeakLink.Runtime;

namespace WeakLink.Imaging;

/// <summary>Between planes of bytes and Skia's bitmaps of pixels.</summary>
internal static class Bitmaps
{
    /// <summary>An image as an opaque bitmap of red, green, blue and alpha bytes.</summary>
    public static SKBitmap Of(ImageView image)
    {
        SkiaLibrary.Require();
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var red = image.Plane(0);
        var green = image.Plane(1);
        var blue = image.Plane(2);
        for (var y = 0; y < image.Height; y++)
        {
            var row = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 4 * image.Width));
            var start = y * image.Width;
            var x = 0;
            for (; x + Vector<byte>.Count <= row.Length; x += Vector<byte>.Count)
            {
                Interleave(new Vector<byte>(red[(start + x)..]), new Vector<byte>(green[(start + x)..]), new Vector<byte>(blue[(start + x)..]), row[x..]);
            }

            for (; x < row.Length; x++)
            {
                row[x] = 0xFF000000 | ((uint)blue[start + x] << 16) | ((uint)green[start + x] << 8) | red[start + x];
            }
        }

        return bitmap;
    }

    /// <summary>Copies a bitmap of red, green, blue and alpha bytes to planes; alpha is left out.</summary>
    /// <param name="bitmap">The bitmap.</param>
    /// <param name="planes">Receives 3 × height × width bytes.</param>
    public static void CopyPlanes(SKBitmap bitmap, Span<byte> planes)
    {
        var (width, height) = (bitmap.Width, bitmap.Height);
        var red = planes[..(width * height)];
        var green = planes.Slice(width * height, width * height);
        var blue = planes[(2 * width * height)..];
        for (var y = 0; y < height; y++)
        {
            var row = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 4 * width));
            var start = y * width;
            var x = 0;
            for (; x + (4 * Vector<uint>.Count) <= width; x += 4 * Vector<uint>.Count)
            {
                var a = new Vector<uint>(row[x..]);
                var b = new Vector<uint>(row[(x + Vector<uint>.Count)..]);
                var c = new Vector<uint>(row[(x + (2 * Vector<uint>.Count))..]);
                var d = new Vector<uint>(row[(x + (3 * Vector<uint>.Count))..]);
                Bytes(a, b, c, d, 0).CopyTo(red[(start + x)..]);
                Bytes(a, b, c, d, 8).CopyTo(green[(start + x)..]);
                Bytes(a, b, c, d, 16).CopyTo(blue[(start + x)..]);
            }

            for (; x < width; x++)
            {
                var pixel = row[x];
                (red[start + x], green[start + x], blue[start + x]) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16));
            }
        }
    }

    private static void Interleave(Vector<byte> red, Vector<byte> green, Vector<byte> blue, Span<uint> row)
    {
        Vector.Widen(red, out var redLow, out var redHigh);
        Vector.Widen(green, out var greenLow, out var greenHigh);
        Vector.Widen(blue, out var blueLow, out var blueHigh);
        Half(redLow, greenLow, blueLow, row);
        Half(redHigh, greenHigh, blueHigh, row[Vector<ushort>.Count..]);

        static void Half(Vector<ushort> red, Vector<ushort> green, Vector<ushort> blue, Span<uint> row)
        {
            Vector.Widen(red | (green << 8), out var redGreenLow, out var redGreenHigh);
            Vector.Widen(blue | new Vector<ushort>(0xFF00), out var blueLow, out var blueHigh);
            (redGreenLow | (blueLow << 16)).CopyTo(row);
            (redGreenHigh | (blueHigh << 16)).CopyTo(row[Vector<uint>.Count..]);
        }
    }

    private static Vector<byte> Bytes(Vector<uint> a, Vector<uint> b, Vector<uint> c, Vector<uint> d, int shift)
    {
        var mask = new Vector<uint>(255);
        var low = Vector.Narrow((a >> shift) & mask, (b >> shift) & mask);
        var high = Vector.Narrow((c >> shift) & mask, (d >> shift) & mask);
        return Vector.Narrow(low, high);
    }
}
