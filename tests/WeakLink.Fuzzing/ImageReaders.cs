using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using SkiaSharp;
using WeakLink.Sources;

namespace WeakLink.Fuzzing;

/// <summary>Pictures.</summary>
internal static class ImageReaders
{
    private static readonly string[] Opens = ["EncodedImage.OpenFile", "EncodedImage..ctor"];
    private static readonly byte[] PngStart = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    public static IReadOnlyList<Reader> All { get; } =
    [
        new("png", "x.png", Opens, Pngs, Read),
        new("png-resealed", "x.png", Opens, Pngs, Read) { Seal = RightChecksums },
        new("jpeg", "x.jpg", Opens, () => [Encoded(SKEncodedImageFormat.Jpeg, 40, 24, 90), Turned(Encoded(SKEncodedImageFormat.Jpeg, 17, 33, 40))], Read),
        new("webp", "x.webp", Opens, () => [Encoded(SKEncodedImageFormat.Webp, 24, 20, 100), Encoded(SKEncodedImageFormat.Webp, 40, 17, 50)], Read),
        new("bmp", "x.bmp", Opens, () => [Bmp(24, 9, 7), Bmp(32, 4, 5), Bmp(8, 6, 3)], Read),
    ];

    private static void Read(Input input, FoundValue value)
    {
        var (width, height) = ImageFile.Size(input.Path);
        value.Add($"{width}x{height}");
        foreach (var size in new[] { 0, 16 })
        {
            value.Add(ImageFile.Decode(input.Path, size).Planes);
        }

        using var stream = File.OpenRead(input.Path);
        if (!ImageFile.DecodeTo(stream, "x", 16, 16, ImageLimits.Largest).SequenceEqual(ImageFile.DecodeTo(input.Path, 16, 16)))
        {
            throw new InvalidOperationException("From memory the picture is another one.");
        }
    }

    private static byte[] Encoded(SKEncodedImageFormat format, int width, int height, int quality)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                bitmap.SetPixel(x, y, new SKColor((byte)(x * 9), (byte)(y * 7), (byte)(x * y), (byte)(format == SKEncodedImageFormat.Jpeg ? 255 : 255 - x)));
            }
        }

        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    // An EXIF segment that says: turned by a quarter.
    private static byte[] Turned(byte[] jpeg) =>
        [.. jpeg.AsSpan(0, 2), 0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, .. jpeg.AsSpan(2)];

    // Colour types 0 to 6 of the PNG specification, which Skia's encoder does not write.
    private static IReadOnlyList<byte[]> Pngs() =>
        [Encoded(SKEncodedImageFormat.Png, 24, 17, 100), Png(0, 1, 9, 5, 0), Png(2, 16, 4, 4, 0), Png(3, 4, 8, 6, 0), Png(4, 8, 5, 5, 0), Png(6, 8, 9, 9, 1)];

    private static byte[] Png(byte type, byte depth, int width, int height, byte interlaced)
    {
        var channels = type switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = (depth, type, interlaced);
        using var pixels = new MemoryStream();
        using (var zlib = new ZLibStream(pixels, CompressionLevel.Optimal, leaveOpen: true))
        {
            foreach (var (across, down) in interlaced == 0 ? [(width, height)] : Passes(width, height))
            {
                for (var y = 0; y < down && across > 0; y++)
                {
                    zlib.Write([0, .. Enumerable.Range(0, ((across * channels * depth) + 7) / 8).Select(x => (byte)((x * 31) + y))]);
                }
            }
        }

        byte[] palette = type == 3 ? [.. Chunk("PLTE"u8, [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 5))]), .. Chunk("tRNS"u8, [0, 128])] : [];
        return [.. PngStart, .. Chunk("IHDR"u8, header), .. palette, .. Chunk("IDAT"u8, pixels.ToArray()), .. Chunk("IEND"u8, [])];
    }

    // The seven passes of Adam7.
    private static IEnumerable<(int Width, int Height)> Passes(int width, int height) =>
        new[] { (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2) }
            .Select(pass => ((width - pass.Item1 + pass.Item3 - 1) / pass.Item3, (height - pass.Item2 + pass.Item4 - 1) / pass.Item4));

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] content)
    {
        byte[] chunk = [0, 0, 0, 0, .. name, .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.HashToUInt32(chunk.AsSpan(4, content.Length + 4)));
        return chunk;
    }

    // Of every chunk whose length still fits.
    private static byte[] RightChecksums(byte[] file)
    {
        for (var at = PngStart.Length; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12)
            {
                break;
            }

            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at + 8 + (int)length), Crc32.HashToUInt32(file.AsSpan(at + 4, (int)length + 4)));
            at += 12 + (int)length;
        }

        return file;
    }

    private static byte[] Bmp(int bits, int width, int height)
    {
        var stride = ((bits * width) + 31) / 32 * 4;
        var palette = bits == 8 ? 1024 : 0;
        var file = new byte[54 + palette + (stride * height)];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), 54 + palette);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(26), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(28), (short)bits);
        for (var i = 54; i < file.Length; i++)
        {
            file[i] = (byte)(i * 7);
        }

        return file;
    }
}
