using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace WeakLink.Files;

/// <summary>What a tar entry is.</summary>
internal enum TarKind
{
    File,
    Folder,
    SymbolicLink,
    HardLink,
    Other,
}

/// <summary>One entry of a tar archive.</summary>
/// <param name="Name">Path as stored: separators and dots are whatever the archive's author wrote.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Link">Target of a link, as stored.</param>
/// <param name="Length">Bytes of content that follow, if the archive tells the truth.</param>
internal sealed record TarEntry(string Name, TarKind Kind, string Link, long Length);

/// <summary>
/// Reads a tar archive (v7, ustar, pax, GNU long names), compressed with gzip or not, from front to back. System.Formats.Tar is not used because a header of 1 KiB
/// makes it allocate 2 GiB, and because it takes an archive cut between two entries, or a gzip stream cut anywhere, for a whole one.
/// Memory stays below 3 MiB whatever the archive holds; every fault is an <see cref="InputException"/> that names the archive.
/// </summary>
internal sealed class TarEntries : IDisposable
{
    private const int BlockBytes = 512;
    private const int MetadataLimit = 1 << 20;
    private const int BufferBytes = 1 << 16;

    private readonly string _archive;
    private readonly Stream _file;
    private readonly Stream _stream;
    private string _name = "";
    private long _remaining;
    private int _padding;

    /// <summary>Opens a .tar, .tar.gz or .tgz; gzip is recognised by its first bytes.</summary>
    public TarEntries(string archive)
    {
        _archive = archive;
        try
        {
            _file = InputFile.Open(archive, BufferBytes, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"Can't read the archive {archive} ({error.Message.TrimEnd('.')}): check the path and its permissions.", error);
        }

        var isGzip = _file.ReadByte() == 0x1F && _file.ReadByte() == 0x8B;
        _file.Position = 0;
        _stream = isGzip ? new BufferedStream(new GZipStream(_file, CompressionMode.Decompress), BufferBytes) : _file;
    }

    /// <summary>Bytes of the archive file read so far.</summary>
    public long Position => _file.Position;

    /// <summary>Passes to the next entry; null at the end of the archive.</summary>
    public TarEntry? Next()
    {
        Skip(_remaining + _padding);
        string? name = null, link = null;
        long? length = null;
        Span<byte> header = stackalloc byte[BlockBytes];
        while (true)
        {
            Fill(header);
            if (!header.ContainsAnyExcept((byte)0))
            {
                ReadToEnd();
                return null;
            }

            CheckSum(header);
            var type = (char)header[156];
            var size = Number(header.Slice(124, 12));
            if (type is 'x' or 'g' or 'L' or 'K')
            {
                var content = Metadata(size);
                switch (type)
                {
                    case 'L':
                        name = Text(content);
                        break;
                    case 'K':
                        link = Text(content);
                        break;
                    case 'x':
                        var records = PaxRecords(content);
                        name = records.GetValueOrDefault("path", name!);
                        link = records.GetValueOrDefault("linkpath", link!);
                        length = records.TryGetValue("size", out var text) ? Decimal(text) : length;
                        break;
                    default:
                        // Global records state times and owners; a path common to all entries makes no sense.
                        break;
                }

                continue;
            }

            name ??= StoredName(header);
            var kind = type switch
            {
                '5' => TarKind.Folder,
                '0' or '7' or '\0' => name.EndsWith('/') ? TarKind.Folder : TarKind.File,
                '1' => TarKind.HardLink,
                '2' => TarKind.SymbolicLink,
                _ => TarKind.Other,
            };
            link ??= Text(header.Slice(157, 100));
            // Links and folders may state the size of what they stand for, without content.
            _remaining = kind is TarKind.File or TarKind.Other && type is not ('3' or '4' or '6') ? length ?? size : 0;
            _padding = (int)(-_remaining & (BlockBytes - 1));
            _name = name;
            return new TarEntry(name, kind, link, _remaining);
        }
    }

    /// <summary>Reads content of the current entry; 0 at its end.</summary>
    public int Read(Span<byte> buffer)
    {
        if (_remaining == 0 || buffer.IsEmpty)
        {
            return 0;
        }

        var count = ReadSome(buffer[..(int)Math.Min(buffer.Length, _remaining)]);
        if (count == 0)
        {
            throw Truncated();
        }

        _remaining -= count;
        return count;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _file.Dispose();
    }

    private static string Text(ReadOnlySpan<byte> field) => EntryNames.Decode(ToZero(field));

    private static ReadOnlySpan<byte> ToZero(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    // In old GNU headers the prefix field holds other things; only "ustar\0" has a prefix.
    private static string StoredName(ReadOnlySpan<byte> header)
    {
        var name = ToZero(header[..100]);
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? ToZero(header.Slice(345, 155)) : [];
        // Decoded as a whole, so that one encoding holds for all of it.
        return prefix.IsEmpty ? EntryNames.Decode(name) : EntryNames.Decode([.. prefix, (byte)'/', .. name]);
    }

    private long Number(ReadOnlySpan<byte> field)
    {
        // GNU's form for large numbers: the high bit is set, the rest is binary. No checksum, whose field is short, is large.
        if ((field[0] & 0x80) != 0)
        {
            if (field.Length <= sizeof(long))
            {
                throw Damaged();
            }

            var high = field[0] & 0x7F;
            var value = BinaryPrimitives.ReadInt64BigEndian(field[^8..]);
            return high == 0 && !field[1..^8].ContainsAnyExcept((byte)0) && value >= 0 ? Sane(value) : throw Damaged();
        }

        var result = 0L;
        foreach (var digit in field.Trim((byte)' ').Trim((byte)0).Trim((byte)' '))
        {
            result = digit is >= (byte)'0' and <= (byte)'7' ? (result * 8) + digit - '0' : throw Damaged();
        }

        return result;
    }

    private long Decimal(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? Sane(value) : throw Damaged();

    // So that adding the padding can't overflow.
    private long Sane(long length) => length <= long.MaxValue / 2 ? length : throw Damaged();

    private void CheckSum(ReadOnlySpan<byte> header)
    {
        // The checksum field itself counts as eight spaces; some old programs summed signed bytes.
        long unsigned = 8 * ' ', signed = 8 * ' ';
        for (var i = 0; i < header.Length; i++)
        {
            if (i is < 148 or >= 156)
            {
                unsigned += header[i];
                signed += (sbyte)header[i];
            }
        }

        var stated = Number(header.Slice(148, 8));
        if (stated != unsigned && stated != signed)
        {
            throw Damaged();
        }
    }

    private byte[] Metadata(long size)
    {
        if (size > MetadataLimit)
        {
            throw new InputException($"The archive {_archive} has an entry name of {size:N0} bytes: it is damaged or not a tar archive; fetch or pack it again.");
        }

        var content = new byte[size];
        Fill(content);
        Skip(-size & (BlockBytes - 1));
        return content;
    }

    // Records of the form "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
    private Dictionary<string, string> PaxRecords(ReadOnlySpan<byte> content)
    {
        var records = new Dictionary<string, string>();
        while (!content.IsEmpty && content[0] != 0)
        {
            var space = content.IndexOf((byte)' ');
            if (space < 0 || !int.TryParse(content[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length <= space + 1 || length > content.Length)
            {
                throw Damaged();
            }

            var record = content[(space + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 0)
            {
                throw Damaged();
            }

            var key = Encoding.UTF8.GetString(record[..equals]);
            if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
            {
                throw new InputException($"The archive {_archive} holds a sparse file, whose content is stored in pieces: pack it again without --sparse.");
            }

            records[key] = EntryNames.Decode(record[(equals + 1)..]);
            content = content[length..];
        }

        return records;
    }

    private void Skip(long count)
    {
        Span<byte> waste = stackalloc byte[4096];
        while (count > 0)
        {
            var read = ReadSome(waste[..(int)Math.Min(waste.Length, count)]);
            count -= read > 0 ? read : throw Truncated();
        }

        (_remaining, _padding) = (0, 0);
    }

    // Checks gzip's own checksum, which lies behind the last block, and that no second archive does, as in those put together with cat.
    private void ReadToEnd()
    {
        Span<byte> rest = stackalloc byte[4096];
        while (ReadSome(rest) is > 0 and var count)
        {
            if (rest[..count].ContainsAnyExcept((byte)0))
            {
                throw new InputException($"The archive {_archive} goes on after its end{Inside}, and what follows would be lost: pack it again as one archive.");
            }
        }
    }

    private void Fill(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = ReadSome(buffer);
            buffer = count > 0 ? buffer[count..] : throw Truncated();
        }
    }

    private int ReadSome(Span<byte> buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (InvalidDataException error)
        {
            throw new InputException($"The archive {_archive} is damaged{Inside} (its gzip data don't decompress): copy or fetch it again.", error);
        }
        catch (IOException error)
        {
            throw new InputException($"Can't read the archive {_archive} ({error.Message.TrimEnd('.')}): copy or fetch it again.", error);
        }
    }

    private string Inside => _name.Length == 0 ? "" : $" at its entry {_name}";

    private InputException Truncated() => new($"The archive {_archive} is truncated: it has {_file.Length:N0} bytes and ends in the middle{Inside}; copy or fetch it again.");

    private InputException Damaged() => new($"The archive {_archive} is damaged or not a tar archive (bad entry header{(Inside.Length == 0 ? "" : " after " + _name)}): copy or fetch it again.");
}
