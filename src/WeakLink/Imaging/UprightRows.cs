using System.Buffers;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace WeakLink.Imaging;

/// <summary>
/// An encoded image, decoded row by row as people look at it: turned as its file says, and on white paper where it is transparent. In
/// memory lie a few rows of a JPEG, unless its rows are columns of the file, and 4 bytes a pixel of all others.
/// </summary>
internal sealed class UprightRows
{
    // Where rows are columns of the file, neighbours share cache lines and pages.
    private const int Together = 64;

    private readonly SKCodec _codec;
    private readonly SKImageInfo _stored;
    private readonly bool _transposed;
    private readonly bool _mirrored;
    private readonly bool _upsideDown;

    /// <summary>Prepares to decode.</summary>
    /// <param name="codec">The image, at its beginning.</param>
    /// <param name="origin">Where its first row and column belong (Exif 2.3, section 4.6.4, tag Orientation).</param>
    public UprightRows(SKCodec codec, SKEncodedOrigin origin)
    {
        _codec = codec;
        _stored = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        _transposed = origin >= SKEncodedOrigin.LeftTop;
        _mirrored = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        _upsideDown = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        (Width, Height) = _transposed ? (_stored.Height, _stored.Width) : (_stored.Width, _stored.Height);
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Decodes the image, once.</summary>
    /// <param name="first">The first row that is wanted.</param>
    /// <param name="count">How many are.</param>
    /// <param name="take">Receives each, in any order: its number and its packed pixels, whose highest byte may hold anything.</param>
    /// <returns>Whether the whole image was there, wanted or not; what was taken of another is worth nothing.</returns>
    public SKCodecResult Decode(int first, int count, Action<int, ReadOnlySpan<uint>> take)
    {
        if (!_transposed && _codec.EncodedFormat == SKEncodedImageFormat.Jpeg && _codec.StartScanlineDecode(_stored) == SKCodecResult.Success)
        {
            return DecodeByRows(first, count, take);
        }

        using var bitmap = new SKBitmap(_stored);
        var result = _codec.GetPixels(_stored, bitmap.GetPixels());
        if (result == SKCodecResult.Success)
        {
            var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
            if (_transposed)
            {
                TakeColumns(pixels, first, count, take);
            }
            else
            {
                for (var y = first; y < first + count; y++)
                {
                    Take(y, pixels.Slice((_upsideDown ? Height - 1 - y : y) * Width, Width), take);
                }
            }
        }

        return result;
    }

    private SKCodecResult DecodeByRows(int first, int count, Action<int, ReadOnlySpan<uint>> take)
    {
        using var strip = new SKBitmap(_stored.WithSize(Width, Math.Min(Together, Height)));
        var pixels = MemoryMarshal.Cast<byte, uint>(strip.GetPixelSpan());
        for (var top = 0; top < Height; top += Together)
        {
            var rows = Math.Min(Together, Height - top);
            if (_codec.GetScanlines(strip.GetPixels(), rows, strip.RowBytes) < rows)
            {
                return SKCodecResult.IncompleteInput;
            }

            for (var i = 0; i < rows; i++)
            {
                var y = _upsideDown ? Height - 1 - top - i : top + i;
                if (y >= first && y < first + count)
                {
                    Take(y, pixels.Slice(i * Width, Width), take);
                }
            }
        }

        return SKCodecResult.Success;
    }

    private void Take(int y, Span<uint> row, Action<int, ReadOnlySpan<uint>> take)
    {
        if (_mirrored)
        {
            row.Reverse();
        }

        LayOnWhite(row);
        take(y, row);
    }

    private void TakeColumns(ReadOnlySpan<uint> pixels, int first, int count, Action<int, ReadOnlySpan<uint>> take)
    {
        var rented = ArrayPool<uint>.Shared.Rent(Math.Min(Together, count) * Width);
        for (var top = first; top < first + count; top += Together)
        {
            var rows = rented.AsSpan(0, Math.Min(Together, first + count - top) * Width);
            for (var x = 0; x < Width; x++)
            {
                var column = pixels.Slice((_mirrored ? Width - 1 - x : x) * Height, Height);
                for (var i = 0; i < rows.Length / Width; i++)
                {
                    rows[(i * Width) + x] = column[_upsideDown ? Height - 1 - top - i : top + i];
                }
            }

            LayOnWhite(rows);
            for (var i = 0; i < rows.Length / Width; i++)
            {
                take(top + i, rows.Slice(i * Width, Width));
            }
        }

        ArrayPool<uint>.Shared.Return(rented);
    }

    private void LayOnWhite(Span<uint> pixels)
    {
        if (_stored.AlphaType == SKAlphaType.Opaque)
        {
            return;
        }

        foreach (ref var pixel in pixels)
        {
            var alpha = pixel >> 24;
            if (alpha < 255)
            {
                pixel = OnWhite(pixel & 255, alpha) | (OnWhite((pixel >> 8) & 255, alpha) << 8) | (OnWhite((pixel >> 16) & 255, alpha) << 16);
            }
        }
    }

    // Rounded as Pillow's alpha_composite is.
    private static uint OnWhite(uint level, uint alpha) => ((level * alpha) + (255 * (255 - alpha)) + 127) / 255;
}
