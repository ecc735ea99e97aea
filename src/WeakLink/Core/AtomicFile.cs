using System.Runtime.InteropServices;

namespace WeakLink;

/// <summary>Writes files that are either whole or not there: to a temporary file beside the target, flushed to the disk, then renamed.</summary>
internal static partial class AtomicFile
{
    /// <summary>What names of half-written files end in.</summary>
    public const string TemporarySuffix = ".partial";

    // Machines and containers that share a disk have processes of the same number.
    private static readonly string Machine = ShortHash.Of(Environment.MachineName)[..4];

    /// <summary>Where this process writes a file before it takes its name.</summary>
    internal static string TemporaryOf(string path) => $"{path}.{Environment.ProcessId}-{Machine}{TemporarySuffix}";

    /// <summary>Writes a file.</summary>
    /// <exception cref="InputException">The disk is full or the folder can't be written to, or there is a pipe or a device; what was at <paramref name="path"/> is untouched.</exception>
    public static void Write(string path, Action<FileStream> content)
    {
        // The rename would put a file in the place of /dev/null, for everybody.
        if (InputFile.IsSpecial(path))
        {
            throw new InputException($"'{path}' is a pipe or a device, and a file can't take its place: name a file.");
        }

        var (temporary, mine) = (TemporaryOf(path), false);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                mine = true;
                content(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception exception)
        {
            // Whatever stopped it, a Ctrl-C included.
            try
            {
                if (mine)
                {
                    File.Delete(temporary);
                }
            }
            catch (Exception cleanup) when (cleanup is IOException or UnauthorizedAccessException)
            {
                // The first failure is the one to report.
            }

            if (exception is not (IOException or UnauthorizedAccessException))
            {
                throw;
            }

            if (exception is DirectoryNotFoundException)
            {
                throw new InputException($"'{path}' could not be written: the folder '{Path.GetDirectoryName(Path.GetFullPath(path))}' does not exist; make it first.", exception);
            }

            throw new InputException($"'{path}' could not be written ({exception.Message.TrimEnd('.')}): free some space or check the permissions; what was there before is intact.", exception);
        }
    }

    /// <summary>Writes a file of the cache, in a folder that need not be there. Where it can't be written, everything is the same, but slower the next time.</summary>
    public static void WriteCache(string path, Action<FileStream> content)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Write(path, content);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InputException)
        {
            // As the summary says.
        }
    }

    /// <summary>Writes a text file in UTF-8.</summary>
    public static void Write(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    // A rename is on the disk only when its folder is.
    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        var descriptor = OpenFolder(folder, 0);
        if (descriptor >= 0)
        {
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
