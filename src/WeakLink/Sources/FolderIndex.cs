using System.IO.Hashing;
using System.Text;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Sources;

/// <summary>
/// What was found in a folder of images and below, kept in the cache folder: the entries of every folder, and the sizes of the images. A folder that has the times that it had has the entries
/// that it had, so who starts again looks at folders instead of files. That a file was written over in its place is not seen here: its hash, which is asked for with its own times
/// (<see cref="HashIndex"/>), and its pixels tell.
/// </summary>
internal sealed class FolderIndex
{
    private static readonly byte[] Magic = "WeakLink folders 1\n"u8.ToArray();

    // What changes a folder within one tick of its file system's clock leaves no trace in its times. FAT's ticks are the longest, 2 s.
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(3);

    // Fewer are looked at in a tenth of a second.
    private const int FewestImages = 1000;

    private readonly string _file;
    private readonly int _fewest;
    private readonly Dictionary<string, Listing> _kept;
    private readonly Dictionary<string, Listing> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Width, int Height)> _sizes = new(StringComparer.Ordinal);
    private bool _changed;

    private FolderIndex(string file, int fewest, Dictionary<string, Listing> kept) => (_file, _fewest, _kept) = (file, fewest, kept);

    /// <summary>What is in a folder.</summary>
    /// <param name="Name">Its name there.</param>
    /// <param name="Kind">What it is, in words of <see cref="FolderTree"/>.</param>
    /// <param name="Width">Of an image whose size is known: pixels across; else 0.</param>
    /// <param name="Height">Of an image whose size is known: its rows; else 0.</param>
    public readonly record struct Entry(string Name, string Kind, int Width = 0, int Height = 0);

    private sealed record Listing(string Path, FileStamp Stamp, IReadOnlyList<Entry> Entries);

    /// <summary>Opens the index of a folder; a missing or damaged one is empty.</summary>
    /// <param name="cacheFolder">Where indices are kept, in the subfolder <c>folders</c>.</param>
    /// <param name="root">The folder.</param>
    /// <param name="fewest">Nothing is kept of a folder with fewer images.</param>
    public static FolderIndex Open(string cacheFolder, string root, int fewest = FewestImages)
    {
        var file = Path.Combine(cacheFolder, "folders", KnownImages.Text(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(root))));
        return new(file, fewest, Read(file));
    }

    /// <summary>The entries of a folder: those that are kept where it has not changed, else those that it has now.</summary>
    /// <param name="real">Where the folder lies when all links are followed.</param>
    /// <param name="path">Where it is found.</param>
    /// <param name="read">Looks at the disk.</param>
    public IReadOnlyList<Entry> Entries(string real, string path, Func<IReadOnlyList<Entry>> read)
    {
        var stamp = FileStamp.Of(real);
        var isSettled = DateTime.UtcNow - Directory.GetLastWriteTimeUtc(real) > LongestTick;
        if (_kept.TryGetValue(real, out var known) && known.Stamp == stamp && stamp != default)
        {
            _found[real] = known with { Path = path };
            foreach (var entry in known.Entries)
            {
                if (entry.Width > 0)
                {
                    _sizes[Path.Join(path, entry.Name)] = (entry.Width, entry.Height);
                }
            }

            return known.Entries;
        }

        var entries = read();
        _found[real] = new Listing(path, isSettled ? stamp : default, entries);
        _changed = true;
        return entries;
    }

    /// <summary>Width and height of an image, where they are known.</summary>
    public (int Width, int Height)? Size(string image) => _sizes.TryGetValue(image, out var size) ? size : null;

    /// <summary>Takes the size of an image.</summary>
    public void Add(string image, int width, int height)
    {
        _sizes[image] = (width, height);
        _changed = true;
    }

    /// <summary>Keeps what is new, and forgets folders that are no longer there. Where the cache can't be written, the next time costs what this one did.</summary>
    public void Save()
    {
        if (!_changed || _sizes.Count < _fewest)
        {
            return;
        }

        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content, Encoding.UTF8);
        writer.Write(Magic);
        foreach (var (real, (folder, stamp, entries)) in _found)
        {
            writer.Write(real);
            writer.Write(stamp.Length);
            writer.Write(stamp.Modified);
            writer.Write(stamp.Changed);
            writer.Write(stamp.Node);
            writer.Write(entries.Count);
            foreach (var (name, kind, _, _) in entries)
            {
                writer.Write(name);
                writer.Write(kind);
                var size = _sizes.GetValueOrDefault(Path.Join(folder, name));
                writer.Write7BitEncodedInt(size.Width);
                writer.Write7BitEncodedInt(size.Height);
            }
        }

        writer.Write(XxHash3.HashToUInt64(content.GetBuffer().AsSpan(0, (int)content.Length)));
        AtomicFile.WriteCache(_file, content.WriteTo);
        _changed = false;
    }

    /// <summary>Forgets all of it, because a part is wrong: the next time looks again.</summary>
    public void Forget()
    {
        try
        {
            File.Delete(_file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then the cache could not be written either.
        }
    }

    private static Dictionary<string, Listing> Read(string file)
    {
        var kept = new Dictionary<string, Listing>(StringComparer.Ordinal);
        try
        {
            var bytes = File.Exists(file) ? InputFile.ReadAll(file) : [];
            if (!bytes.AsSpan().StartsWith(Magic) || bytes.Length < Magic.Length + sizeof(ulong) || XxHash3.HashToUInt64(bytes.AsSpan(..^sizeof(ulong))) != BitConverter.ToUInt64(bytes, bytes.Length - sizeof(ulong)))
            {
                return kept;
            }

            // Millions of entries have a handful of kinds.
            var kinds = new Dictionary<string, string>(StringComparer.Ordinal);
            using var reader = new BinaryReader(new MemoryStream(bytes, Magic.Length, bytes.Length - Magic.Length - sizeof(ulong)), Encoding.UTF8);
            while (reader.BaseStream.Position < reader.BaseStream.Length)
            {
                var real = reader.ReadString();
                var stamp = new FileStamp(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
                var entries = new Entry[reader.ReadInt32()];
                for (var i = 0; i < entries.Length; i++)
                {
                    var (name, kind) = (reader.ReadString(), reader.ReadString());
                    if (!kinds.TryGetValue(kind, out var its))
                    {
                        kinds[kind] = its = kind;
                    }

                    entries[i] = new Entry(name, its, reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt());
                }

                kept[real] = new Listing("", stamp, entries);
            }

            return kept;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return new(StringComparer.Ordinal);
        }
    }
}
