using SkiaSharp;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>A picture of corrupted images, for people to look at: a row for each corruption, the clean image and then its severities.</summary>
public static class ContactSheet
{
    private const int Gap = 4;
    private const int TextHeight = 18;
    private const int LeastCell = 96;
    private const int LargestCell = 224;

    /// <summary>Draws the sheet.</summary>
    /// <param name="images">Clean images; each row shows the next one.</param>
    /// <param name="settings">Which corruptions and severities.</param>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(Dataset images, CorruptionSettings settings)
    {
        // Small images by whole multiples, without smoothing, so that pixels stay what they are.
        var cell = Math.Min(images.Width, LargestCell) * Math.Max(1, LeastCell / images.Width);
        var (columns, rows) = (settings.Severities.Count + 1, settings.Corruptions.Count);
        var height = Math.Max(1, (int)((long)cell * images.Height / images.Width));
        using var sheet = new SKBitmap((columns * (cell + Gap)) + Gap, (rows * (height + Gap + TextHeight)) + Gap);
        using (var canvas = new SKCanvas(sheet))
        using (var font = new SKFont(SKTypeface.Default, TextHeight - 5))
        using (var ink = new SKPaint { Color = SKColors.Black, IsAntialias = true })
        {
            canvas.Clear(SKColors.White);
            for (var row = 0; row < rows; row++)
            {
                var corruption = settings.Corruptions[row];
                var top = Gap + (row * (height + Gap + TextHeight));
                canvas.DrawText($"{corruption.Name}: clean, severity {string.Join(", ", settings.Severities)}", Gap, top + TextHeight - 5, font, ink);
                for (var column = 0; column < columns; column++)
                {
                    using var bitmap = Cell(images, row % images.Count, column == 0 ? null : corruption, column == 0 ? 0 : settings.Severities[column - 1], settings.Seed);
                    using var picture = SKImage.FromBitmap(bitmap);
                    var left = Gap + (column * (cell + Gap));
                    canvas.DrawImage(picture, SKRect.Create(left, top + TextHeight, cell, height), new SKSamplingOptions(cell < images.Width ? SKFilterMode.Linear : SKFilterMode.Nearest, cell < images.Width ? SKMipmapMode.Linear : SKMipmapMode.None));
                }
            }
        }

        using var encoded = sheet.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }

    private static SKBitmap Cell(Dataset images, int index, Corruption? corruption, int severity, long seed)
    {
        var source = corruption is null ? images : new CorruptedDataset(images, new CropAndFlip(images.Height, images.Width, 0, Flip: false), corruption, severity, seed);
        var planes = new byte[images.BytesPerImage];
        source.Read(index, planes);
        return Bitmaps.Of(new ImageView(planes, images.Height, images.Width));
    }
}
