using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace WeakLink.Files;

/// <summary>
/// The names of archive entries, whatever encoding they are written in: two names that differ in a byte never become one. System.IO.Compression hands out strings
/// in which every byte that is not UTF-8 has become the same character, and knows nothing of the Unicode path field.
/// </summary>
internal static class EntryNames
{
    private const uint CentralHeader = 0x02014b50, EndOfDirectory = 0x06054b50, LargeLocator = 0x07064b50, LargeEnd = 0x06064b50;
    private const int CentralHeaderBytes = 46, EndBytes = 22, LocatorBytes = 20, LargeEndBytes = 56;
    private const ushort UnicodePath = 0x7075;
    private const int UnicodePathVersion = 1;
    private const int LongestComment = ushort.MaxValue;

    // What the zip format names for names that are not marked as UTF-8 (APPNOTE, appendix D); each byte is a character of its own, so nothing is lost where it is another.
    private static readonly Encoding Fallback = CodePagesEncodingProvider.Instance.GetEncoding(437)!;

    /// <summary>A name as text: UTF-8 where it is, else byte for byte by code page 437.</summary>
    public static string Decode(ReadOnlySpan<byte> name)
    {
        try
        {
            return TextFile.StrictUtf8.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            // In Shift-JIS, GBK and Big5 this byte is the second half of letters, not a separator.
            var text = Fallback.GetString(name);
            return text.Contains('/') ? text.Replace("\\", "%5C", StringComparison.Ordinal) : text;
        }
    }

    /// <summary>The names of a zip file's entries, in the order of its directory, which is that of <see cref="System.IO.Compression.ZipArchive.Entries"/>.</summary>
    /// <param name="zip">The file, which can be sought in; its position is not kept.</param>
    /// <exception cref="InvalidDataException">It has no directory of entries, or a damaged one.</exception>
    public static IReadOnlyList<string> OfZip(Stream zip)
    {
        var (start, count) = Directory(zip);
        zip.Position = start;
        var names = new List<string>();
        var header = new byte[CentralHeaderBytes];
        for (var i = 0L; i < count; i++)
        {
            Fill(zip, header);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != CentralHeader)
            {
                throw new InvalidDataException("its directory of entries is damaged");
            }

            var name = new byte[Short(header, 28)];
            var extra = new byte[Short(header, 30)];
            Fill(zip, name);
            Fill(zip, extra);
            names.Add(Unicode(extra, name) ?? Decode(name));
            zip.Position += Short(header, 32);
        }

        return names;
    }

    // Info-ZIP's field: the name in UTF-8 beside one in the encoding of the machine, and the checksum of that one, in case another program has changed it.
    private static string? Unicode(ReadOnlySpan<byte> extra, ReadOnlySpan<byte> name)
    {
        while (extra.Length >= 4)
        {
            var (kind, length) = (BinaryPrimitives.ReadUInt16LittleEndian(extra), BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            if (length > extra.Length - 4)
            {
                return null;
            }

            var field = extra.Slice(4, length);
            if (kind == UnicodePath && field.Length > 5 && field[0] == UnicodePathVersion && BinaryPrimitives.ReadUInt32LittleEndian(field[1..]) == Crc32.HashToUInt32(name))
            {
                try
                {
                    return TextFile.StrictUtf8.GetString(field[5..]);
                }
                catch (DecoderFallbackException)
                {
                    return null;
                }
            }

            extra = extra[(4 + length)..];
        }

        return null;
    }

    // The end of the file says where the directory is; for large archives it says where that is said.
    private static (long Start, long Count) Directory(Stream zip)
    {
        var tail = new byte[Math.Min(zip.Length, EndBytes + LongestComment)];
        zip.Position = zip.Length - tail.Length;
        Fill(zip, tail);
        for (var place = tail.Length - EndBytes; place >= 0; place--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(place)) != EndOfDirectory)
            {
                continue;
            }

            var (count, start) = ((long)Short(tail, place + 10), (long)BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(place + 16)));
            if ((count == ushort.MaxValue || start == uint.MaxValue) && place >= LocatorBytes && BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(place - LocatorBytes)) == LargeLocator)
            {
                var large = new byte[LargeEndBytes];
                Seek(zip, BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(place - LocatorBytes + 8)));
                Fill(zip, large);
                if (BinaryPrimitives.ReadUInt32LittleEndian(large) == LargeEnd)
                {
                    (count, start) = (BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(32)), BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48)));
                }
            }

            Seek(zip, start);
            return (start, count);
        }

        throw new InvalidDataException("it has no directory of entries");
    }

    private static void Seek(Stream zip, long position) =>
        zip.Position = position >= 0 && position <= zip.Length ? position : throw new InvalidDataException("its directory of entries lies outside of the file");

    private static void Fill(Stream stream, Span<byte> buffer)
    {
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw new InvalidDataException("it ends in its directory of entries");
        }
    }

    private static int Short(byte[] bytes, int place) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(place));
}
