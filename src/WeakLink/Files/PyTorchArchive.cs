using System.IO.Compression;
using System.Numerics;
using System.Text;

namespace WeakLink.Files;

/// <summary>What <c>torch.save</c> writes since PyTorch 1.6: a zip archive of a pickle (data.pkl) and, uncompressed, each storage's bytes (data/KEY).</summary>
internal static class PyTorchArchive
{
    private const string Pickle = "data.pkl", Constants = "constants.pkl";

    // Of a hundred thousand tensors. The largest networks here have a thousand.
    private const int MostEntries = 100_000;
    private const int LongestByteOrder = 16;

    /// <summary>Whether a file begins like a zip archive.</summary>
    public static bool IsOne(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8);

    /// <summary>Reads the pickle.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    /// <returns>Its result, and what finds the bytes of a storage.</returns>
    /// <exception cref="InvalidDataException">The message is part of a sentence.</exception>
    public static (object? Value, Func<PickledStorage, StoredNumbers?> Find) Read(ZipArchive archive, long fileLength)
    {
        var entries = Entries(archive, fileLength);
        var pickle = entries.Keys.Where(name => name == Pickle || name.EndsWith("/" + Pickle, StringComparison.Ordinal)).ToList();
        if (pickle.Count != 1)
        {
            throw new InvalidDataException(pickle.Count == 0 ? $"the archive holds no {Pickle}" : $"the archive holds {Pickle} {pickle.Count} times");
        }

        var folder = pickle[0][..^Pickle.Length];
        if (entries.TryGetValue(folder + "byteorder", out var order) && (order.Length > LongestByteOrder || Encoding.ASCII.GetString(Bytes(order)) != "little"))
        {
            throw new InvalidDataException("its numbers are big-endian; save it again on another machine");
        }

        return (
            new PickleReader(Bytes(entries[pickle[0]])).Next(),
            storage => entries.GetValueOrDefault($"{folder}data/{storage.Key}") is { } entry ? new ArchivedNumbers(entry) : null);
    }

    private static Dictionary<string, ZipArchiveEntry> Entries(ZipArchive archive, long fileLength)
    {
        if (archive.Entries.Count > MostEntries)
        {
            throw new InvalidDataException($"the archive has {archive.Entries.Count:N0} entries, more than {MostEntries:N0}");
        }

        // Before anything else of it is looked at: PyTorch compresses its code.
        if (archive.Entries.Any(entry => entry.FullName == Constants || entry.FullName.EndsWith("/" + Constants, StringComparison.Ordinal)))
        {
            throw new InvalidDataException("it is a TorchScript program; save the model's state_dict() instead");
        }

        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        BigInteger total = 0;
        foreach (var entry in archive.Entries)
        {
            if (!entries.TryAdd(entry.FullName, entry))
            {
                throw new InvalidDataException("two entries of the archive have the same name");
            }

            // What is compressed may be a bomb.
            if (entry.CompressedLength != entry.Length || entry.Length < 0)
            {
                throw new InvalidDataException("the archive is compressed, which PyTorch does not do");
            }

            total += entry.Length;
        }

        return total <= fileLength ? entries : throw new InvalidDataException("entries of the archive overlap");
    }

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        if (entry.Length > PyTorchFile.LargestPickle)
        {
            throw new InvalidDataException($"its pickle has {entry.Length:N0} bytes, more than {PyTorchFile.LargestPickle:N0}");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }
}
