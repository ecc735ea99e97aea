using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using SkiaSharp;
using WeakLink.Imaging;
using WeakLink.Tests.Augmentations;

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

    /// <summary>Writes planes of bytes in the format that the extension names; exact in PNG.</summary>
    public static string Write(string path, byte[] planes, int height, int width)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = Bitmaps.Of(new ImageView(planes, height, width));
        using var data = bitmap.Encode(Path.GetExtension(path) == ".png" ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg, 90);
        File.WriteAllBytes(path, data.ToArray());
        return path;
    }

    /// <summary>Writes planes as a PNG that is the more transparent the lower the row.</summary>
    public static void WriteTransparent(string path, byte[] planes, int height, int width)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var i = 0; i < height * width; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor(planes[i], planes[(height * width) + i], planes[(2 * height * width) + i], (byte)(255 - (200 * i / (height * width)))));
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());
    }

    /// <summary>Writes a PNG of four colours, one of them transparent.</summary>
    public static void WritePalette(string path, int height, int width)
    {
        using var rows = new MemoryStream();
        using (var packed = new ZLibStream(rows, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                packed.WriteByte(0);
                packed.Write([.. Enumerable.Range(0, width).Select(x => (byte)(((x / 3) + (y / 2)) % 4))]);
            }
        }

        byte[] header = [0, 0, 0, (byte)width, 0, 0, 0, (byte)height, 8, 3, 0, 0, 0];
        File.WriteAllBytes(path,
        [
            0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("PLTE", [255, 0, 0, 0, 200, 40, 10, 20, 250, 128, 128, 128]),
            .. Chunk("tRNS", [255, 60]), .. Chunk("IDAT", rows.ToArray()), .. Chunk("IEND", []),
        ]);
    }

    /// <summary>
    /// Writes pictures of every kind: as large as a network's images and, where these are square, of other sizes; turned, grey, of a palette,
    /// transparent.
    /// </summary>
    public static IReadOnlyList<string> WriteEveryKind(string folder, int height, int width)
    {
        (int Height, int Width)[] sizes = height == width ? [(height, width), (31, 70), (90, 45), (17, 18)] : [(height, width)];
        var files = new List<string>();
        string New(string name)
        {
            files.Add(Path.Combine(folder, name));
            return files[^1];
        }

        foreach (var (h, w) in sizes)
        {
            var planes = Samples.Image(h, w);
            Write(New($"{w}x{h}.png"), planes, h, w);
            Write(New($"{w}x{h}-grey.png"), [.. Enumerable.Repeat(planes[..(h * w)], 3).SelectMany(plane => plane)], h, w);
            Write(New($"{w}x{h}.jpg"), planes, h, w);
            WriteTransparent(New($"{w}x{h}-transparent.png"), planes, h, w);
            WritePalette(New($"{w}x{h}-palette.png"), h, w);
        }

        for (ushort orientation = 2; orientation <= 8; orientation++)
        {
            var (h, w) = orientation > 4 ? (width, height) : (height, width);
            var planes = Samples.Image(h, w);
            var jpeg = Write(New($"turned{orientation}.jpg"), planes, h, w);
            File.WriteAllBytes(jpeg, JpegWithOrientation(File.ReadAllBytes(jpeg), orientation));
            var png = Write(New($"turned{orientation}.png"), planes, h, w);
            File.WriteAllBytes(png, WithOrientation(File.ReadAllBytes(png), "IDAT", orientation, little: true));
        }

        return files;
    }

    /// <summary>A PNG file with an Exif orientation before one of its chunks.</summary>
    public static byte[] WithOrientation(byte[] png, string before, ushort orientation, bool little)
    {
        var place = png.AsSpan().IndexOf(Encoding.ASCII.GetBytes(before)) - 4;
        return [.. png[..place], .. Chunk("eXIf", Exif(orientation, little)), .. png[place..]];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        var chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc32.HashToUInt32(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    /// <summary>A JPEG file with an Exif orientation.</summary>
    public static byte[] JpegWithOrientation(byte[] jpeg, ushort orientation)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. Exif(orientation, little: false)];
        return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
    }

    // A TIFF header and a directory of one entry: tag 0x0112, one short number.
    private static byte[] Exif(ushort orientation, bool little) => little
        ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
        : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];

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
