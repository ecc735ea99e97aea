using WeakLink.Files;
using WeakLink.Runtime;

namespace WeakLink.Sources;

/// <summary>
/// A folder and all that lies below it, each real folder once however many links lead to it, so that loops end. Hidden files, what WeakLink itself wrote, and files of
/// kinds that can't be read are left out and counted.
/// </summary>
internal sealed class FolderTree
{
    private const int MostLinks = 40;
    private const string Repeated = "links to what is read already";
    private const string Dangling = "links to nothing";

    /// <summary>The kind of images and folders whose names begin with a dot.</summary>
    public const string Hidden = "hidden";

    /// <summary>The kind of what WeakLink itself wrote.</summary>
    public const string Own = "written by weaklink itself";

    /// <summary>The kind of files and folders that the system finds, but .NET can't open.</summary>
    public const string UnreadableName = "with names that are not UTF-8";

    private const string Special = "pipes, sockets and devices";

    // What is no other thing.
    private const string Folder = "folder", Link = "link", Image = "image";

    private readonly Dictionary<string, FolderTree> _all;
    private readonly string _real;
    private readonly List<(string Path, string Real)> _images = [];
    private readonly List<(string Path, string Real)> _linkedImages = [];

    private FolderTree(string path, string real, Dictionary<string, FolderTree> all, FolderIndex? index)
    {
        (Path, _real, _all, Index) = (path, real, all, index);
        all.Add(real, this);
    }

    /// <summary>A folder in a folder.</summary>
    /// <param name="Name">Its name there.</param>
    /// <param name="Path">Where it is found.</param>
    /// <param name="Folder">The folder.</param>
    /// <param name="IsLink">Whether it really lies elsewhere.</param>
    public sealed record Child(string Name, string Path, FolderTree Folder, bool IsLink);

    /// <summary>Where it was found first.</summary>
    public string Path { get; }

    /// <summary>What is kept of it and of the folders below it; null: nothing.</summary>
    public FolderIndex? Index { get; }

    /// <summary>The folders in it, in ordinal order; none that WeakLink wrote.</summary>
    public List<Child> Folders { get; } = [];

    /// <summary>Images that lie directly in it.</summary>
    public IEnumerable<string> OwnImages => _images.Concat(_linkedImages).Select(image => image.Path);

    /// <summary>Other files of it by kind, links that lead nowhere among them.</summary>
    public List<(string Kind, string Path)> Others { get; } = [];

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="index">What is kept of folders, so that those which have not changed need not be read; null: all are read.</param>
    /// <param name="stop">Stops between two folders.</param>
    /// <exception cref="InputException">A folder can't be read.</exception>
    public static FolderTree Read(string folder, FolderIndex? index = null, CancellationToken stop = default)
    {
        var all = new Dictionary<string, FolderTree>(StringComparer.Ordinal);
        var links = new Queue<(FolderTree From, string Path)>();
        var root = new FolderTree(folder, RealPath(folder), all, index);
        root.Fill(links, stop);
        // Where a folder really lies counts before the links to it: all real ones come first.
        while (links.TryDequeue(out var link))
        {
            link.From.Follow(link.Path, root._real, links, stop);
        }

        foreach (var tree in all.Values)
        {
            tree.Folders.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        }

        return root;
    }

    /// <summary>Whether images lie in it or below.</summary>
    public bool HoldsImages() => Below().Any(folder => folder.OwnImages.Any());

    /// <summary>It and all folders below it, each once.</summary>
    public IEnumerable<FolderTree> Below()
    {
        var (seen, waiting) = (new HashSet<FolderTree> { this }, new Stack<FolderTree>([this]));
        while (waiting.TryPop(out var folder))
        {
            yield return folder;
            foreach (var child in folder.Folders.Where(child => seen.Add(child.Folder)))
            {
                waiting.Push(child.Folder);
            }
        }
    }

    /// <summary>The images below several folders. One that links lead to is that of the folder in which it really lies, else of the first with a link to it.</summary>
    /// <param name="folders">The folders, by which their images are known.</param>
    /// <param name="apart">Folders that are not read although links may lead to them, such as those that hold <paramref name="folders"/>.</param>
    /// <param name="passed">Receives what is left out.</param>
    /// <returns>The images of each folder, in ordinal order.</returns>
    public static IReadOnlyList<IReadOnlyList<string>> Images(IReadOnlyList<Child> folders, IEnumerable<FolderTree> apart, PassedOver passed)
    {
        var images = folders.Select(_ => new List<string>()).ToArray();
        // What is taken is asked of links alone, which most folders have none of.
        var (seen, inside, taken) = (new HashSet<FolderTree>(apart), new List<FolderTree>(), (HashSet<string>?)null);
        var links = new Queue<(int Place, string Path, string Real, FolderTree? Folder)>();
        for (var i = 0; i < folders.Count; i++)
        {
            if (folders[i].IsLink)
            {
                links.Enqueue((i, folders[i].Path, "", folders[i].Folder));
            }
            else
            {
                Take(i, folders[i].Folder, folders[i].Path);
            }
        }

        while (links.TryDequeue(out var link))
        {
            if (link.Folder is { } folder)
            {
                Take(link.Place, folder, link.Path);
            }
            else if ((taken ??= inside.SelectMany(its => its._images).Select(image => image.Real).ToHashSet(StringComparer.Ordinal)).Add(link.Real))
            {
                images[link.Place].Add(link.Path);
            }
            else
            {
                passed.Add(Repeated, link.Path);
            }
        }

        foreach (var list in images)
        {
            list.Sort(StringComparer.Ordinal);
        }

        return images;

        void Take(int place, FolderTree folder, string from)
        {
            if (!seen.Add(folder))
            {
                passed.Add(Repeated, from);
                return;
            }

            inside.Add(folder);
            taken?.UnionWith(folder._images.Select(image => image.Real));
            images[place].AddRange(folder._images.Select(image => image.Path));

            foreach (var (kind, path) in folder.Others)
            {
                passed.Add(kind, path);
            }

            foreach (var (path, real) in folder._linkedImages)
            {
                links.Enqueue((place, path, real, null));
            }

            foreach (var child in folder.Folders)
            {
                if (child.IsLink)
                {
                    links.Enqueue((place, child.Path, "", child.Folder));
                }
                else
                {
                    Take(place, child.Folder, child.Path);
                }
            }
        }
    }

    private void Fill(Queue<(FolderTree From, string Path)> links, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        foreach (var (name, kind, _, _) in Index is null ? Entries() : Index.Entries(_real, Path, Entries))
        {
            var path = System.IO.Path.Combine(Path, name);
            switch (kind)
            {
                case Link:
                    links.Enqueue((this, path));
                    break;
                case Folder:
                    Enter(name, path, System.IO.Path.Combine(_real, name), isLink: false, links, stop);
                    break;
                case Image:
                    // Mostly one string instead of two, of millions.
                    _images.Add((path, Path == _real ? path : System.IO.Path.Combine(_real, name)));
                    break;
                default:
                    Others.Add((kind, path));
                    break;
            }
        }
    }

    // What an entry is, by the entry alone; null: nothing that anybody misses.
    private static string? KindOf(FileSystemInfo entry)
    {
        var isImage = ImageFile.IsImage(entry.Name);
        // .NET shows all bytes that are not UTF-8 as this character, and then can't find the file.
        if (entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !System.IO.Path.Exists(entry.FullName))
        {
            return UnreadableName;
        }

        if (entry.Name.StartsWith('.') || entry.Attributes.HasFlag(FileAttributes.Hidden))
        {
            // What macOS keeps beside every file is no image of anybody's.
            return entry.Attributes.HasFlag(FileAttributes.Directory) || (isImage && !entry.Name.StartsWith("._", StringComparison.Ordinal)) ? Hidden : null;
        }

        return entry.Attributes.HasFlag(FileAttributes.ReparsePoint) ? Link
            : entry.Attributes.HasFlag(FileAttributes.Directory) ? Folder
            : InputFile.IsSpecial(entry.FullName) ? Special
            : !isImage ? PassedOver.KindOf(entry.Name)
            : OwnOutput.IsMarked(entry.FullName) ? Own
            : Image;
    }

    private void Enter(string name, string path, string real, bool isLink, Queue<(FolderTree From, string Path)> links, CancellationToken stop)
    {
        if (OwnOutput.Of(path) is not null || real == CacheFolder.Default)
        {
            Others.Add((Own, path));
            return;
        }

        if (!_all.TryGetValue(real, out var folder))
        {
            folder = new FolderTree(path, real, _all, Index);
            folder.Fill(links, stop);
        }

        Folders.Add(new Child(name, path, folder, isLink));
    }

    private void Follow(string path, string root, Queue<(FolderTree From, string Path)> links, CancellationToken stop)
    {
        var name = System.IO.Path.GetFileName(path);
        var real = RealPath(path);
        if (Directory.Exists(real))
        {
            if (root.StartsWith(real.TrimEnd(System.IO.Path.DirectorySeparatorChar) + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                // All that lies around the data is not meant.
                Others.Add((Repeated, path));
            }
            else
            {
                Enter(name, path, real, isLink: true, links, stop);
            }
        }
        else if (InputFile.IsSpecial(real))
        {
            Others.Add((Special, path));
        }
        else if (ImageFile.IsImage(name))
        {
            // Where it leads to nothing, whoever reads the image says so.
            _linkedImages.Add((path, real));
        }
        else
        {
            // What is still a link leads round in a circle.
            Others.Add((File.Exists(real) && new FileInfo(real).LinkTarget is null ? PassedOver.KindOf(name) : Dangling, path));
        }
    }

    private List<FolderIndex.Entry> Entries()
    {
        try
        {
            var entries = new List<FolderIndex.Entry>();
            foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos())
            {
                if (KindOf(entry) is { } kind)
                {
                    entries.Add(new FolderIndex.Entry(entry.Name, kind));
                }
            }

            entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
            return entries;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The folder '{Path}' can't be read ({error.Message.TrimEnd('.')}): check its permissions, or move it out of the data.", error);
        }
    }

    /// <summary>Where a file or folder lies when all links on the way are followed.</summary>
    private static string RealPath(string path)
    {
        var parts = new Stack<string>(System.IO.Path.GetFullPath(path).Split(System.IO.Path.DirectorySeparatorChar).Reverse());
        var real = parts.Pop() + System.IO.Path.DirectorySeparatorChar;
        for (var followed = 0; parts.TryPop(out var part);)
        {
            var next = System.IO.Path.Combine(real, part);
            if (part.Length == 0 || followed == MostLinks || new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            followed++;
            var whole = System.IO.Path.GetFullPath(target, real).Split(System.IO.Path.DirectorySeparatorChar);
            real = whole[0] + System.IO.Path.DirectorySeparatorChar;
            foreach (var deeper in whole.Skip(1).Reverse())
            {
                parts.Push(deeper);
            }
        }

        return real;
    }
}
