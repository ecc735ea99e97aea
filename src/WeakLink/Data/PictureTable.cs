using SkiaSharp;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Data;

/// <summary>An image among others.</summary>
/// <param name="Planes">Red, green and blue planes of height × width bytes.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
internal sealed record Picture(byte[] Planes, int Height, int Width)
{
    /// <summary>An image of a data set.</summary>
    public static Picture Of(Dataset images, int index)
    {
        var planes = new byte[images.BytesPerImage];
        images.Read(index, planes);
        return new Picture(planes, images.Height, images.Width);
    }

    /// <summary>The middle of it, as a network sees it.</summary>
    public Picture Centre(CentreCrop crop)
    {
        var seen = new byte[crop.Bytes];
        crop.Cut(new ImageView(Planes, Height, Width), seen);
        return new Picture(seen, crop.Height, crop.Width);
    }

    /// <summary>The same of at most so many pixels across.</summary>
    public Picture Within(int width)
    {
        if (Width <= width)
        {
            return this;
        }

        var height = Math.Max(1, (int)((long)Height * width / Width));
        var smaller = new byte[Dataset.Channels * height * width];
        FilteredResize.Apply(new ImageView(Planes, Height, Width), 0, 0, Height, Width, height, width, smaller);
        return new Picture(smaller, height, width);
    }

    /// <summary>A PNG file.</summary>
    public byte[] ToPng()
    {
        using var bitmap = Bitmaps.Of(new ImageView(Planes, Height, Width));
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }
}

/// <summary>Rows of images with captions, for people to look at.</summary>
internal static class PictureTable
{
    private const int Gap = 4;
    private const int TextHeight = 18;
    private const int LeastCell = 96;
    public const int LargestCell = 224;

    /// <summary>Draws the rows.</summary>
    /// <param name="rows">A caption and images; at least one row of one image.</param>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(IReadOnlyList<(string Caption, IReadOnlyList<Picture> Pictures)> rows)
    {
        SkiaLibrary.Require();
        // Small images by whole multiples, without smoothing, so that pixels stay what they are.
        var widest = rows.Max(row => row.Pictures.Max(picture => picture.Width));
        var cell = Math.Min(widest, LargestCell) * Math.Max(1, LeastCell / widest);
        var heights = rows.Select(row => row.Pictures.Max(Height)).ToList();
        using var sheet = new SKBitmap((rows.Max(row => row.Pictures.Count) * (cell + Gap)) + Gap, heights.Sum(height => height + Gap + TextHeight) + Gap);
        using (var canvas = new SKCanvas(sheet))
        using (var font = new SKFont(SKTypeface.Default, TextHeight - 5))
        using (var ink = new SKPaint { Color = SKColors.Black, IsAntialias = true })
        {
            canvas.Clear(SKColors.White);
            var top = Gap;
            foreach (var ((caption, pictures), height) in rows.Zip(heights))
            {
                canvas.DrawText(caption, Gap, top + TextHeight - 5, font, ink);
                for (var column = 0; column < pictures.Count; column++)
                {
                    var picture = pictures[column];
                    using var bitmap = Bitmaps.Of(new ImageView(picture.Planes, picture.Height, picture.Width));
                    using var image = SKImage.FromBitmap(bitmap);
                    var smaller = cell < picture.Width;
                    canvas.DrawImage(
                        image,
                        SKRect.Create(Gap + (column * (cell + Gap)), top + TextHeight, cell, Height(picture)),
                        new SKSamplingOptions(smaller ? SKFilterMode.Linear : SKFilterMode.Nearest, smaller ? SKMipmapMode.Linear : SKMipmapMode.None));
                }

                top += height + Gap + TextHeight;
            }
        }

        using var encoded = sheet.Encode(SKEncodedImageFormat.Png, 100);
        return OwnOutput.Marked(encoded.ToArray());

        int Height(Picture picture) => Math.Max(1, (int)((long)cell * picture.Height / picture.Width));
    }
}
