using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Text;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Sources;

/// <summary>
/// The hashes of a folder's image files, kept in the cache folder: a file is decoded for its hash once, and again when it is another one (its
/// size or one of its times says so). Safe to ask from several threads.
/// </summary>
internal sealed class HashIndex
{
    private static readonly byte[] Magic = "WeakLink hashes 1\n"u8.ToArray();

    private readonly string _file;
    private readonly string _root;
    private readonly Dictionary<string, (FileStamp Stamp, UInt128 Hash)> _kept;
    private readonly ConcurrentDictionary<string, (FileStamp Stamp, UInt128 Hash)> _added = new(StringComparer.Ordinal);

    private HashIndex(string file, string root, Dictionary<string, (FileStamp Stamp, UInt128 Hash)> kept) => (_file, _root, _kept) = (file, root, kept);

    /// <summary>Opens the index of the folder that some files have in common; a missing or damaged one is empty.</summary>
    /// <param name="cacheFolder">Where indices are kept, in the subfolder <c>hashes</c>.</param>
    /// <param name="paths">The files, at least one.</param>
    public static HashIndex Open(string cacheFolder, IReadOnlyCollection<string> paths)
    {
        var (first, last) = (paths.Min(StringComparer.Ordinal)!, paths.Max(StringComparer.Ordinal)!);
        var common = first.Zip(last).TakeWhile(pair => pair.First == pair.Second).Count();
        var root = first[..(first.LastIndexOf(Path.DirectorySeparatorChar, Math.Max(common - 1, 0)) + 1)];
        var file = Path.Combine(cacheFolder, "hashes", KnownImages.Text(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(root))));
        return new(file, root, Read(file));
    }

    /// <summary>The hash of a file's pixels, as <see cref="Dataset.Hashes"/> defines it.</summary>
    /// <exception cref="InputException">It can't be read.</exception>
    public UInt128 Of(string path) => Of(path, () => KnownImages.HashOf(ImageFile.Decode(path)));

    /// <summary>The same, where somebody else decodes the file and may keep what it holds.</summary>
    /// <param name="path">The file.</param>
    /// <param name="hash">Decodes it, and gives its hash.</param>
    public UInt128 Of(string path, Func<UInt128> hash)
    {
        var (name, stamp) = (path[_root.Length..], FileStamp.Of(path));
        if (Find(name) is var (before, known) && before == stamp)
        {
            return known;
        }

        var found = hash();
        _added[name] = (stamp, found);
        return found;
    }

    /// <summary>Keeps what is new, and forgets files that are no longer there. Where the cache can't be written, the next time costs what this one did.</summary>
    /// <param name="paths">All files that there are.</param>
    public void Save(IEnumerable<string> paths)
    {
        if (_added.IsEmpty)
        {
            return;
        }

        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content, Encoding.UTF8);
        writer.Write(Magic);
        foreach (var name in paths.Select(path => path[_root.Length..]))
        {
            if (Find(name) is var (stamp, hash))
            {
                writer.Write(name);
                writer.Write(stamp.Length);
                writer.Write(stamp.Modified);
                writer.Write(stamp.Changed);
                writer.Write(stamp.Node);
                writer.Write((ulong)(hash >> 64));
                writer.Write((ulong)hash);
            }
        }

        writer.Write(XxHash3.HashToUInt64(content.GetBuffer().AsSpan(0, (int)content.Length)));
        AtomicFile.WriteCache(_file, content.WriteTo);
    }

    private (FileStamp Stamp, UInt128 Hash)? Find(string name) => _added.TryGetValue(name, out var entry) || _kept.TryGetValue(name, out entry) ? entry : null;

    private static Dictionary<string, (FileStamp Stamp, UInt128 Hash)> Read(string file)
    {
        var entries = new Dictionary<string, (FileStamp, UInt128)>(StringComparer.Ordinal);
        try
        {
            var bytes = File.Exists(file) ? InputFile.ReadAll(file) : [];
            if (!bytes.AsSpan().StartsWith(Magic) || bytes.Length < Magic.Length + sizeof(ulong) || XxHash3.HashToUInt64(bytes.AsSpan(..^sizeof(ulong))) != BitConverter.ToUInt64(bytes, bytes.Length - sizeof(ulong)))
            {
                return entries;
            }

            using var reader = new BinaryReader(new MemoryStream(bytes, Magic.Length, bytes.Length - Magic.Length - sizeof(ulong)), Encoding.UTF8);
            while (reader.BaseStream.Position < reader.BaseStream.Length)
            {
                var name = reader.ReadString();
                var stamp = new FileStamp(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
                entries[name] = (stamp, new UInt128(reader.ReadUInt64(), reader.ReadUInt64()));
            }

            return entries;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return new(StringComparer.Ordinal);
        }
    }
}
