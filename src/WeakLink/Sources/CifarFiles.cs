using System.Text;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Sources;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html): by name, as a folder, or as the .tar.gz
/// itself, which is read without extracting it. Other data sets in the same layout are welcome: files may hold any number of records.
/// </summary>
public static class CifarFiles
{
    // The official archives have 8 and 6 entries; an archive of image folders is told apart without decompressing all of it.
    private const int EntriesLookedAt = 32;
    private const int NamesLimit = 1 << 16;
    private const int FirstReadBytes = 1 << 20;

    private static readonly Layout Cifar10 = new(
        "CIFAR-10", 1, ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"], "test_batch.bin",
        "batches.meta.txt", "cifar-10-batches-bin", KnownDownloads.Cifar10, CifarClasses.Ten);

    private static readonly Layout Cifar100 = new(
        "CIFAR-100", 2, ["train.bin"], "test.bin", "fine_label_names.txt", "cifar-100-binary", KnownDownloads.Cifar100, CifarClasses.Hundred);

    private static readonly Layout[] Layouts = [Cifar10, Cifar100];

    // What the two Python versions unpack to.
    private static readonly string[] PythonFolders = ["cifar-10-batches-py", "cifar-100-python"];

    /// <summary>
    /// Whether a path is a folder with CIFAR's files (or with their official folder in it), or a .tar.gz, .tgz or .tar of these. True also for the Python version,
    /// which <see cref="Open"/> refuses with the remedy.
    /// </summary>
    public static bool IsCifar(string path) => Directory.Exists(path) ? IsPythonFolder(path) || FindFolder(path) is not null : File.Exists(path) && IsTar(path) && IsCifarArchive(path);

    /// <summary>Whether a source is <c>cifar10</c> or <c>cifar100</c>.</summary>
    public static bool IsName(string source) => Layouts.Any(layout => layout.Download.Name == source);

    /// <summary>Opens <c>cifar10</c>, <c>cifar100</c> (fetched into the cache folder unless they are there), a folder, or an archive.</summary>
    /// <param name="source">One of the two names, or a path for which <see cref="IsCifar"/> is true.</param>
    /// <param name="cacheFolder">Where fetched archives lie.</param>
    /// <param name="progress">Receives the progress of a download.</param>
    /// <param name="cancellation">Stops a download.</param>
    /// <returns>The training and the test images.</returns>
    /// <exception cref="InputException">A file is missing, truncated, or has a label out of range; or the download fails.</exception>
    public static (Dataset Train, Dataset Test) Open(
        string source, string cacheFolder, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (Layouts.FirstOrDefault(layout => layout.Download.Name == source) is { } named)
        {
            var extracted = Path.Combine(cacheFolder, named.Folder);
            source = Directory.Exists(extracted) ? extracted : named.Download.FetchAsync(cacheFolder, progress, cancellation).GetAwaiter().GetResult();
        }

        return Directory.Exists(source) ? ReadFolder(source) : ReadArchive(source);
    }

    /// <summary>The training and the test images of a folder.</summary>
    internal static (Dataset Train, Dataset Test) ReadFolder(string path)
    {
        if (IsPythonFolder(path))
        {
            throw PythonVersion(path);
        }

        var folder = FindFolder(path) ?? throw NotCifar(path);
        return Assemble(folder, Directory.GetFiles(folder).Select(file => Path.GetFileName(file)!).ToHashSet(), file => ReadFile(Path.Combine(folder, file)));
    }

    /// <summary>The training and the test images of an archive. Allocates at most 8 MiB and three times what the archive really holds.</summary>
    internal static (Dataset Train, Dataset Test) ReadArchive(string path)
    {
        using var entries = new TarEntries(path);
        var (contents, left) = (new Dictionary<string, byte[]>(), SafeArchive.MostOf(new FileInfo(path).Length));
        while (entries.Next() is { } entry)
        {
            if (IsPythonEntry(entry.Name))
            {
                throw PythonVersion(path);
            }

            var file = FileName(entry.Name);
            if (entry.Kind == TarKind.File && IsFile(file))
            {
                left -= entry.Length;
                if (left < 0)
                {
                    throw TooLarge(Path.Combine(path, entry.Name));
                }

                contents[file] = ReadEntry(entries, path, entry);
            }
        }

        return Assemble(path, contents.Keys, file => contents[file]);
    }

    private static (Dataset Train, Dataset Test) Assemble(string where, IReadOnlyCollection<string> present, Func<string, byte[]> read)
    {
        var layout = LayoutOf(present) ?? throw NotCifar(where);
        var missing = layout.Train.Append(layout.Test).Where(file => !present.Contains(file)).ToList();
        if (missing.Count > 0)
        {
            throw new InputException($"{where} lacks {string.Join(", ", missing)} of {layout.Name}: put {(missing.Count == 1 ? "it" : "them")} there, or fetch {layout.Download.Name} as a whole.");
        }

        var classes = layout.Classes;
        if (present.Contains(layout.Names))
        {
            var names = Encoding.UTF8.GetString(read(layout.Names)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            classes = names.Length > 0 ? ClassNames.Checked(names, Path.Combine(where, layout.Names)) : classes;
        }

        return (Records(layout.Train), Records([layout.Test]));

        CifarRecords Records(IEnumerable<string> files) =>
            new(layout.Name, classes, layout.LabelBytes, [.. files.Select(file => (Path.Combine(where, file), read(file)))]);
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return new FileInfo(path).Length <= Array.MaxLength ? InputFile.ReadAll(path) : throw TooLarge(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"Can't read {path} ({error.Message.TrimEnd('.')}): check its permissions, or copy it again.", error);
        }
    }

    // Memory follows what arrives, never what a header promises.
    private static byte[] ReadEntry(TarEntries entries, string archive, TarEntry entry)
    {
        if (entry.Length > (Layouts.Any(layout => layout.Names == FileName(entry.Name)) ? NamesLimit : Array.MaxLength))
        {
            throw TooLarge(Path.Combine(archive, entry.Name));
        }

        var bytes = new byte[Math.Min(entry.Length, FirstReadBytes)];
        var filled = 0;
        while (filled < entry.Length)
        {
            if (filled == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(entry.Length, bytes.Length * 2L));
            }

            filled += entries.Read(bytes.AsSpan(filled));
        }

        return bytes;
    }

    private static bool IsCifarArchive(string path)
    {
        try
        {
            using var entries = new TarEntries(path);
            for (var i = 0; i < EntriesLookedAt && entries.Next() is { } entry; i++)
            {
                if (IsPythonEntry(entry.Name) || (entry.Kind == TarKind.File && LayoutOf([FileName(entry.Name)]) is not null))
                {
                    return true;
                }
            }
        }
        catch (InputException)
        {
            // Whoever opens it as an archive says what is wrong with it.
        }

        return false;
    }

    private static string? FindFolder(string path) =>
        new[] { path }.Concat(Layouts.Select(layout => Path.Combine(path, layout.Folder)))
            .FirstOrDefault(folder => Layouts.Any(layout => layout.Train.Append(layout.Test).Any(file => File.Exists(Path.Combine(folder, file)))));

    private static Layout? LayoutOf(IReadOnlyCollection<string> files) => Layouts.FirstOrDefault(layout => layout.Train.Append(layout.Test).Any(files.Contains));

    private static bool IsFile(string file) => Layouts.Any(layout => layout.Names == file || layout.Test == file || layout.Train.Contains(file));

    private static bool IsTar(string path) => new[] { ".tar.gz", ".tgz", ".tar" }.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static bool IsPythonFolder(string path) =>
        PythonFolders.Any(folder => Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) == folder || (Directory.Exists(Path.Combine(path, folder)) && FindFolder(path) is null));

    private static bool IsPythonEntry(string entry) => PythonFolders.Any(folder => entry.StartsWith(folder + "/", StringComparison.Ordinal));

    private static string FileName(string entry) => entry[(entry.LastIndexOf('/') + 1)..];

    private static InputException NotCifar(string path) => new(
        $"{path} holds none of CIFAR's binary files (data_batch_1.bin ... test_batch.bin, or train.bin and test.bin): check the path, or use cifar10 or cifar100 to fetch them.");

    private static InputException PythonVersion(string path) =>
        new($"{path} is the Python version of CIFAR, which holds pickled Python objects: use the binary version, or cifar10 or cifar100 to fetch it.");

    private static InputException TooLarge(string path) => new($"{path} is too large to be one of CIFAR's files: check that it is the right one.");

    /// <summary>The files of one of the two data sets.</summary>
    private sealed record Layout(
        string Name, int LabelBytes, string[] Train, string Test, string Names, string Folder, KnownDownload Download, IReadOnlyList<string> Classes);
}
