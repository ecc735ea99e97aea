using System.IO.Compression;

namespace WeakLink.Files;

/// <summary>
/// Extracts a .zip, .npz, .tar, .tar.gz or .tgz that nobody vouches for. Nothing is written outside the target, no link is ever created (a link to a file of the archive
/// becomes a copy), no entry is written over another, the size is bounded, and the target appears only when all of it is there.
/// </summary>
internal sealed class SafeArchive : IDisposable
{
    // As long as Linux takes, and deeper than anybody sorts pictures.
    private const int LongestPath = 4096;
    private const int DeepestPath = 64;

    // Links to links, as many as Linux follows.
    private const int MostRounds = 40;

    // Images hardly compress: an archive that grows more than this is a bomb, not a data set. The allowance lets small archives of flat pictures through.
    private const long LargestGrowth = 50;
    private const long Allowance = 1L << 30;

    // What an entry costs on disk even when it is empty.
    private const long BytesPerEntry = 4096;
    private const int LinkLimit = 4096;
    private const int BufferBytes = 1 << 17;

    private readonly string _archive;
    private readonly string _root;
    private readonly long _limit;
    private readonly ProgressClock _progress;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly List<(string Entry, string Path, string Target)> _links = [];
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private long _written;
    private (long Files, long Bytes) _extracted;

    private SafeArchive(string archive, string root, long allowance, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var length = new FileInfo(archive).Length;
        (_archive, _root, _cancellation) = (archive, root, cancellation);
        _limit = MostOf(length, allowance);
        _progress = new ProgressClock(progress, Path.GetFileName(archive), length);
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWrite(root, error);
        }
    }

    /// <summary>How many bytes of images a compressed file can hold.</summary>
    /// <param name="length">Its own bytes.</param>
    internal static long MostOf(long length) => MostOf(length, Allowance);

    private static long MostOf(long length, long allowance) => allowance + (LargestGrowth * length);

    /// <summary>Extracts into a folder that must not exist yet; where another process made it meanwhile, that one's result stays.</summary>
    /// <returns>How many files were written, and their bytes; null where another process was faster.</returns>
    /// <exception cref="InputException">The archive is damaged, unsafe or too large, or the folder can't be written; nothing is left behind.</exception>
    public static (long Files, long Bytes)? Extract(string archive, string target, IProgress<DownloadProgress>? progress = null, long allowance = Allowance, CancellationToken cancellation = default)
    {
        // A sibling, so that the rename stays on one file system.
        var partial = $"{target}.partial-{Guid.NewGuid():N}";
        using var extraction = new SafeArchive(archive, partial, allowance, progress, cancellation);
        if (archive.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || archive.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
        {
            extraction.ExtractZip();
        }
        else
        {
            extraction.ExtractTar();
        }

        extraction.CopyLinks();
        try
        {
            // Not flushed to disk file by file: that takes minutes for 60,000 images, and the archive is still there.
            Directory.Move(partial, target);
            return extraction._extracted;
        }
        catch (IOException) when (Directory.Exists(target))
        {
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWrite(target, error);
        }
    }

    /// <summary>Removes what was not moved to the target.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }

    private void ExtractTar()
    {
        using var entries = new TarEntries(_archive);
        while (entries.Next() is { } entry)
        {
            _progress.Report(entries.Position);
            if (PathOf(entry.Name) is not { } path)
            {
                continue;
            }

            switch (entry.Kind)
            {
                case TarKind.Folder:
                    MakeFolder(entry.Name, path);
                    break;
                case TarKind.File:
                    WriteFile(entry.Name, path, entries.Read);
                    break;
                case TarKind.SymbolicLink:
                    AddLink(entry.Name, path, FolderOf(entry.Name), entry.Link);
                    break;
                case TarKind.HardLink:
                    AddLink(entry.Name, path, "", entry.Link);
                    break;
                default:
                    throw new InputException($"The archive {_archive} holds {entry.Name}, which is neither a file, a folder nor a link: pack the image folders alone.");
            }
        }
    }

    private void ExtractZip()
    {
        try
        {
            using var file = InputFile.Open(_archive);
            using var zip = new ZipArchive(file, ZipArchiveMode.Read);
            var entries = zip.Entries;
            var names = EntryNames.OfZip(file);
            if (names.Count != entries.Count)
            {
                throw new InvalidDataException("its directory of entries is damaged");
            }

            var done = 0L;
            foreach (var (entry, name) in entries.Zip(names))
            {
                _progress.Report(done += entry.CompressedLength);
                if (PathOf(name) is not { } path)
                {
                    continue;
                }

                if (entry.IsEncrypted)
                {
                    throw new InputException($"The archive {_archive} is encrypted (entry {name}): extract it yourself and give the folder instead.");
                }

                if (name.EndsWith('/') || name.EndsWith('\\'))
                {
                    MakeFolder(name, path);
                    continue;
                }

                using var content = entry.Open();
                // The upper half of the attributes is the Unix mode, where the archive was made on Unix.
                if (((entry.ExternalAttributes >> 16) & 0xF000) == 0xA000)
                {
                    AddLink(name, path, FolderOf(name), ReadLink(name, content));
                    continue;
                }

                var crc = WriteFile(name, path, content.Read);
                if (crc != entry.Crc32)
                {
                    throw new InputException($"The archive {_archive} is damaged at its entry {name} (wrong checksum): copy or fetch it again.");
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException or OverflowException)
        {
            throw new InputException($"The archive {_archive} can't be read as a zip file ({error.Message.TrimEnd('.')}): copy or fetch it again, or extract it yourself and give the folder.", error);
        }
    }

    private string ReadLink(string entry, Stream content)
    {
        var target = new byte[LinkLimit];
        var count = content.ReadAtLeast(target, LinkLimit, throwOnEndOfStream: false);
        return count < LinkLimit ? EntryNames.Decode(target.AsSpan(0, count)) : throw Outside(entry);
    }

    /// <summary>Where an entry goes; null for what macOS adds of its own, which is no part of the data.</summary>
    private string? PathOf(string entry)
    {
        var inside = Inside("", entry) ?? throw Outside(entry);
        var parts = inside.Split('/');
        return parts.Contains("__MACOSX") || parts[^1].StartsWith("._", StringComparison.Ordinal) || parts[^1] == ".DS_Store" ? null : FullPath(entry, inside);
    }

    private string FullPath(string entry, string inside)
    {
        if (inside.Length > LongestPath || inside.AsSpan().Count('/') >= DeepestPath)
        {
            throw new InputException($"The archive {_archive} holds a path of {inside.Length:N0} letters in {inside.AsSpan().Count('/') + 1:N0} parts ({entry[..Math.Min(entry.Length, 100)]} ...), longer than the {LongestPath:N0} letters and {DeepestPath} parts that are extracted: pack it again with shorter names, or extract it yourself and give the folder.");
        }

        var path = Path.GetFullPath(Path.Combine(_root, inside));
        // What the system makes of a name (drive letters, trailing dots on Windows) is not for us to guess.
        return path == _root || path.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? path : throw Outside(entry);
    }

    private static string FolderOf(string entry)
    {
        var name = entry.Replace('\\', '/').TrimEnd('/');
        return name.LastIndexOf('/') is var slash and >= 0 ? name[..slash] : "";
    }

    /// <summary>The path without dots, relative to the root; null where it leaves the root. No link is ever created, so words alone decide.</summary>
    private static string? Inside(string folder, string path)
    {
        path = path.Replace('\\', '/');
        if (path.StartsWith('/') || Path.IsPathRooted(path) || path.Contains('\0'))
        {
            return null;
        }

        var parts = new List<string>();
        foreach (var part in $"{folder}/{path}".Split('/'))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                {
                    return null;
                }

                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("" or "."))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private InputException Outside(string entry) =>
        new($"The archive {_archive} is unsafe: its entry {entry} points outside of the folder it is extracted to; nothing was extracted, pack it again without that entry.");

    private void AddLink(string entry, string path, string folder, string target)
    {
        var inside = Inside(folder, target) ?? throw Outside(entry);
        Count(entry, BytesPerEntry);
        _links.Add((entry, path, FullPath(entry, inside)));
    }

    // Last, because a link may precede the file it names; a link to a link waits for that one.
    private void CopyLinks()
    {
        var waiting = _links;
        for (var round = 0; waiting.Count > 0; round++)
        {
            if (round == MostRounds)
            {
                throw new InputException($"The archive {_archive} holds a chain of more than {MostRounds} links ({waiting[0].Entry}): pack it again with the files themselves (tar --dereference).");
            }

            var rest = new List<(string Entry, string Path, string Target)>();
            foreach (var link in waiting)
            {
                if (File.Exists(link.Target) && link.Target != link.Path)
                {
                    using var content = InputFile.Open(link.Target);
                    WriteFile(link.Entry, link.Path, content.Read);
                }
                else
                {
                    rest.Add(link);
                }
            }

            waiting = rest.Count < waiting.Count ? rest : throw new InputException(
                $"The archive {_archive} holds a link {rest[0].Entry} to something that is not a file of the archive: pack it again with the files themselves (tar --dereference).");
        }
    }

    private void MakeFolder(string entry, string path)
    {
        Count(entry, BytesPerEntry);
        if (path != _root)
        {
            EnterFolder(entry, path);
        }
    }

    // A disk may take two names for one (in capitals, or with accents composed and apart): then what is there was not made under this name.
    private void EnterFolder(string entry, string path)
    {
        if (path == _root || !_folders.Add(path))
        {
            return;
        }

        EnterFolder(entry, Path.GetDirectoryName(path)!);
        RequireFree(entry, path, isFolder: true);
        OnDisk(path, () => Directory.CreateDirectory(path));
    }

    private void RequireFree(string entry, string path, bool isFolder)
    {
        if (isFolder ? File.Exists(path) : Directory.Exists(path))
        {
            throw new InputException($"The archive {_archive} holds both a file and a folder called {Path.GetRelativePath(_root, path).Replace('\\', '/')} (at its entry {entry}), and only one of them can have the name: pack it again with one of them under another.");
        }

        if (Path.Exists(path))
        {
            throw new InputException($"The archive {_archive} holds its entry {entry} twice, or another whose name is the same on this disk, and one would be lost: pack it again with one file under each name.");
        }
    }

    private delegate int Reader(Span<byte> buffer);

    /// <summary>Writes a file and returns the CRC-32 of its content.</summary>
    private uint WriteFile(string entry, string path, Reader read)
    {
        _cancellation.ThrowIfCancellationRequested();
        Count(entry, BytesPerEntry);
        if (path == _root)
        {
            throw Outside(entry);
        }

        EnterFolder(entry, Path.GetDirectoryName(path)!);
        RequireFree(entry, path, isFolder: false);
        FileStream? file = null;
        OnDisk(path, () => file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0));
        using (file)
        {
            var crc = new System.IO.Hashing.Crc32();
            int count;
            while ((count = read(_buffer)) > 0)
            {
                Count(entry, count);
                crc.Append(_buffer.AsSpan(0, count));
                OnDisk(path, () => file!.Write(_buffer, 0, count));
            }

            _extracted = (_extracted.Files + 1, _extracted.Bytes + file!.Length);
            return crc.GetCurrentHashAsUInt32();
        }
    }

    // Counts what arrives, not what the archive says is there.
    private void Count(string entry, long bytes)
    {
        _written += bytes;
        if (_written > _limit)
        {
            throw new InputException(
                $"The archive {_archive} unpacks to more than {_limit:N0} bytes (at its entry {entry}), too much for images: if that is right, extract it yourself and give the folder.");
        }
    }

    private static void OnDisk(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw DiskErrors.CannotWrite(path, error);
        }
    }
}
