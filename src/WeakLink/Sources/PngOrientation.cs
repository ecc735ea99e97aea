using System.Buffers.Binary;
using System.IO.Hashing;
using SkiaSharp;

namespace WeakLink.Sources;

/// <summary>Where the first row and column of a PNG file belong: its <c>eXIf</c> chunk (PNG 3, section 11.3.3.2), wherever in the file it stands.</summary>
internal static class PngOrientation
{
    private const int Signature = 8;
    private const uint ExifChunk = 0x65584966;
    private const uint EndChunk = 0x49454E44;
    private const int Largest = 1 << 20;
    private const ushort OrientationTag = 0x0112;
    private const ushort ShortType = 3;

    /// <summary>Reads the orientation.</summary>
    /// <param name="image">The file.</param>
    /// <exception cref="InputException">The chunk is damaged.</exception>
    public static SKEncodedOrigin Read(EncodedImage image)
    {
        Span<byte> head = stackalloc byte[8];
        for (long at = Signature; image.ReadAt(head, at) == head.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(head);
            switch (BinaryPrimitives.ReadUInt32BigEndian(head[4..]))
            {
                case EndChunk:
                    return SKEncodedOrigin.Default;
                case ExifChunk when length <= Largest:
                    // Type, data and checksum of both.
                    var chunk = new byte[4 + length + 4];
                    return image.ReadAt(chunk, at + 4) == chunk.Length && Crc32.HashToUInt32(chunk.AsSpan()[..^4]) == BinaryPrimitives.ReadUInt32BigEndian(chunk.AsSpan()[^4..])
                        ? OfExif(chunk.AsSpan()[4..^4])
                        : throw ImageFile.Unreadable(image.Name, "damaged (its eXIf chunk)");
                default:
                    at += 12 + (long)length;
                    break;
            }
        }

        return SKEncodedOrigin.Default;
    }

    // A TIFF header and its first directory; what makes no sense says nothing about the orientation.
    private static SKEncodedOrigin OfExif(ReadOnlySpan<byte> exif)
    {
        // Some programs write JPEG's prefix as well.
        exif = exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif;
        var little = exif.StartsWith("II*\0"u8);
        if ((!little && !exif.StartsWith("MM\0*"u8)) || exif.Length < 8)
        {
            return SKEncodedOrigin.Default;
        }

        var offset = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (offset > exif.Length - 2)
        {
            return SKEncodedOrigin.Default;
        }

        var entry = exif[((int)offset + 2)..];
        for (var entries = Short(exif[(int)offset..]); entries > 0 && entry.Length >= 12; entries--, entry = entry[12..])
        {
            if (Short(entry) == OrientationTag)
            {
                return Short(entry[2..]) == ShortType && Short(entry[8..]) is >= 1 and <= 8 and var value ? (SKEncodedOrigin)value : SKEncodedOrigin.Default;
            }
        }

        return SKEncodedOrigin.Default;

        ushort Short(ReadOnlySpan<byte> bytes) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }
}
