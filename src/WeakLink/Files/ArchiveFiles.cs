using System.Security.Cryptography;
using System.Text;

namespace WeakLink.Files;

/// <summary>Archives of image folders given as data: extracted once into the cache folder, and found there again.</summary>
public static class ArchiveFiles
{
    // An .npz is a .zip of arrays.
    private static readonly string[] Readable = [".zip", ".npz", ".tar", ".tar.gz", ".tgz"];

    // Recognised so that the error can say what to do.
    private static readonly (string Ending, string Remedy)[] Unreadable =
    [
        (".tar.xz", "tar xJf"), (".txz", "tar xJf"), (".tar.bz2", "tar xjf"), (".tbz2", "tar xjf"), (".tar.zst", "tar --zstd -xf"), (".7z", "7z x"), (".rar", "unrar x"),
    ];

    // Changes with what entry names become: what an older version extracted may lack files.
    private const int NamesVersion = 2;

    /// <summary>Whether a path has the ending of an archive, also of a kind that WeakLink can't read but recognises.</summary>
    public static bool IsArchive(string path) => Readable.Concat(Unreadable.Select(kind => kind.Ending)).Any(ending => HasEnding(path, ending));

    /// <summary>What to call the data of an archive: its file's name without what says that it is one.</summary>
    public static string NameOf(string archive) => Path.GetFileName(archive).Split('.')[0];

    /// <summary>
    /// The folder that holds the archive's content, extracted into the cache folder unless it is there from an earlier run; the archive's path, length and
    /// modification time tell.
    /// </summary>
    /// <param name="archive">A .zip, .npz, .tar, .tar.gz or .tgz.</param>
    /// <param name="cacheFolder">Extracts into its subfolder <c>extracted</c>.</param>
    /// <param name="progress">Receives the bytes of the archive that are done.</param>
    /// <param name="cancellation">Stops the extraction; nothing is left behind.</param>
    /// <exception cref="InputException">
    /// The archive is missing, damaged, of a kind that can't be read, has an entry that points outside of its folder, or unpacks to too much; or the disk is full.
    /// </exception>
    public static string ExtractedFolder(string archive, string cacheFolder, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var file = new FileInfo(archive);
        if (!file.Exists)
        {
            throw new InputException($"The archive {archive} does not exist: check the path.");
        }

        var unreadable = Unreadable.FirstOrDefault(kind => HasEnding(archive, kind.Ending));
        if (unreadable.Ending is not null)
        {
            throw new InputException($"WeakLink can't read {unreadable.Ending} archives: extract it with \"{unreadable.Remedy} {archive}\" and give the folder instead.");
        }

        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{NamesVersion}|{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}")))[..16];
        var folder = Path.Combine(Path.GetFullPath(cacheFolder), "extracted", $"{NameOf(archive)}-{key}");
        var contents = folder + ".contents";
        if (Directory.Exists(folder) && !IsWhole(folder, contents))
        {
            Directory.Delete(folder, recursive: true);
        }

        if (!Directory.Exists(folder) && SafeArchive.Extract(file.FullName, folder, progress, cancellation: cancellation) is var (files, bytes))
        {
            AtomicFile.WriteCache(contents, stream => stream.Write(Contents(files, bytes)));
        }

        return folder;
    }

    // Programs that tidy up caches remove files that nobody has read for long, one by one: a data set of what they left would be another one. Older versions kept no such file.
    private static bool IsWhole(string folder, string contents)
    {
        if (!File.Exists(contents))
        {
            return true;
        }

        var files = new DirectoryInfo(folder).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).ToList();
        return InputFile.ReadAll(contents).AsSpan().SequenceEqual(Contents(files.Count, files.Sum(file => file.Length)));
    }

    private static byte[] Contents(long files, long bytes) => Encoding.UTF8.GetBytes(FormattableString.Invariant($"{files} files, {bytes} bytes\n"));

    private static bool HasEnding(string path, string ending) => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
