using System.IO.Compression;
using System.IO.Hashing;

namespace WeakLink.Files;

/// <summary>The bytes of a storage in a file.</summary>
internal abstract class StoredNumbers(long length)
{
    /// <summary>How many bytes there are.</summary>
    public long Length { get; } = length;

    /// <summary>Reads all of them.</summary>
    /// <param name="bytes">Receives the bytes.</param>
    /// <exception cref="IOException">The file ends before them.</exception>
    /// <exception cref="InvalidDataException">They are not those that were written.</exception>
    public abstract void Read(Span<byte> bytes);
}

/// <summary>The bytes of an entry of an archive.</summary>
internal sealed class ArchivedNumbers(ZipArchiveEntry entry) : StoredNumbers(entry.Length)
{
    /// <inheritdoc/>
    public override void Read(Span<byte> bytes)
    {
        using var stream = entry.Open();
        stream.ReadExactly(bytes);
        // PyTorch can be told to leave the checksum out.
        if (entry.Crc32 != 0 && entry.Crc32 != Crc32.HashToUInt32(bytes))
        {
            throw new InvalidDataException("its numbers do not match their checksums");
        }
    }
}

/// <summary>Bytes at a place of a file.</summary>
internal sealed class PlacedNumbers(Stream file, long start, long length) : StoredNumbers(length)
{
    /// <inheritdoc/>
    public override void Read(Span<byte> bytes)
    {
        file.Position = start;
        file.ReadExactly(bytes);
    }
}
