using System.Buffers.Binary;

namespace WeakLink.Files;

/// <summary>
/// What <c>torch.save</c> wrote before PyTorch 1.6, and still does on request: a magic number, a version, facts about the machine, the result
/// and a list of storages as five pickles, then for each storage the count of its numbers and the numbers.
/// </summary>
internal static class PyTorchSequence
{
    private const long Version = 1001;

    // Protocol 1 writes digits; later ones 0x1950a86a20f9469cfc6c as bytes, after the protocol's number and, since the fourth, the length of a frame.
    private static readonly byte[] OldestMagic = [.. "L119547037146038801333356L\n."u8];
    private static readonly byte[] Magic = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
    private static readonly int[] BeforeMagic = [2, 2 + 9];

    /// <summary>Bytes that tell the format.</summary>
    public static int StartLength => Math.Max(OldestMagic.Length, BeforeMagic[^1] + Magic.Length);

    /// <summary>Whether a file begins with the magic number.</summary>
    public static bool IsOne(ReadOnlySpan<byte> start) => MagicLength(start) > 0;

    /// <summary>Reads the pickles.</summary>
    /// <param name="file">The file.</param>
    /// <returns>The result, and what finds the bytes of a storage.</returns>
    /// <exception cref="InvalidDataException">The message is part of a sentence.</exception>
    public static (object? Value, Func<PickledStorage, StoredNumbers?> Find) Read(Stream file)
    {
        // The pickles' length is nowhere written down: what is read too much belongs to the numbers.
        var bytes = new byte[Math.Min(file.Length, PyTorchFile.LargestPickle)];
        file.Position = 0;
        file.ReadExactly(bytes);
        var pickles = new PickleReader(bytes, MagicLength(bytes));
        var version = pickles.Next();
        var machine = pickles.Next() as PickledDictionary;
        if (version is not Version || machine is null || machine["little_endian"] is not true)
        {
            throw new InvalidDataException("it is of another version of PyTorch's older format, or big-endian; save it again");
        }

        var value = pickles.Next();
        var keys = pickles.Next() as List<object?> ?? throw new InvalidDataException("its list of storages is damaged");
        var places = Places(file, pickles.Position, keys, pickles.Storages);
        return (value, storage => places.GetValueOrDefault(storage.Key));
    }

    // 0: it does not begin with it.
    private static int MagicLength(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(OldestMagic))
        {
            return OldestMagic.Length;
        }

        foreach (var before in BeforeMagic)
        {
            if (start is [0x80, ..] && start.Length >= before && start[before..].StartsWith(Magic))
            {
                return before + Magic.Length;
            }
        }

        return 0;
    }

    private static Dictionary<string, PlacedNumbers> Places(Stream file, long position, List<object?> keys, IReadOnlyDictionary<string, PickledStorage> storages)
    {
        var places = new Dictionary<string, PlacedNumbers>(StringComparer.Ordinal);
        var count = new byte[sizeof(long)];
        foreach (var key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out var storage))
            {
                throw new InvalidDataException("it holds a storage that nothing refers to");
            }

            file.Position = position;
            file.ReadExactly(count);
            position += count.Length;
            if (BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Count || storage.Count > (file.Length - position) / storage.Size)
            {
                throw new InvalidDataException("its numbers are cut off or too many");
            }

            if (!places.TryAdd(name, new PlacedNumbers(file, position, storage.Count * storage.Size)))
            {
                throw new InvalidDataException("it holds a storage twice");
            }

            position += storage.Count * storage.Size;
        }

        return places;
    }
}
