using SkiaSharp;

namespace WeakLink.Tests.Data;

/// <summary>Image files for tests.</summary>
internal static class Pictures
{
    /// <summary>Writes an image of one colour, with its left half darker, in the format that the extension names.</summary>
    public static string Write(string path, SKColor colour, int width = 8, int height = 8, SKColorType type = SKColorType.Rgba8888)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, type, type == SKColorType.Gray8 ? SKAlphaType.Opaque : SKAlphaType.Unpremul));
        bitmap.Erase(colour);
        if (Path.GetExtension(path) == ".bmp")
        {
            File.WriteAllBytes(path, Bitmap(colour, width, height));
            return path;
        }

        using var data = bitmap.Encode(Path.GetExtension(path) switch { ".png" => SKEncodedImageFormat.Png, ".webp" => SKEncodedImageFormat.Webp, _ => SKEncodedImageFormat.Jpeg }, 100);
        using var stream = File.Create(path);
        data.SaveTo(stream);
        return path;
    }

    /// <summary>Two classes of some images.</summary>
    public static void WriteClasses(string folder, int each, int size = 8)
    {
        for (var i = 0; i < each; i++)
        {
            Write(Path.Combine(folder, "cat", $"{i:00}.png"), new SKColor(200, (byte)(i * 5), 0), size, size);
            Write(Path.Combine(folder, "dog", $"{i:00}.png"), new SKColor(0, (byte)(i * 5), 200), size, size);
        }
    }

    // Skia does not write BMP: header, then rows of blue, green, red, from the bottom up.
    private static byte[] Bitmap(SKColor colour, int width, int height)
    {
        var stride = ((3 * width) + 3) / 4 * 4;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("BM"u8);
        writer.Write(54 + (stride * height));
        writer.Write(0);
        writer.Write(54);
        writer.Write(40);
        writer.Write(width);
        writer.Write(height);
        writer.Write((short)1);
        writer.Write((short)24);
        writer.Write(0);
        writer.Write(stride * height);
        writer.Write(new byte[16]);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                writer.Write([colour.Blue, colour.Green, colour.Red]);
            }

            writer.Write(new byte[stride - (3 * width)]);
        }

        return stream.ToArray();
    }
}
