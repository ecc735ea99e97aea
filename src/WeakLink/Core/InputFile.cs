using System.Runtime.InteropServices;

namespace WeakLink;

/// <summary>
/// Files that somebody named, opened to be read: the one place that does. Opening a pipe that nobody writes into waits for ever, and a device may never end, so
/// both are refused as files that can't be read are, with an <see cref="IOException"/> whose message is part of a sentence.
/// </summary>
internal static partial class InputFile
{
    // statx(2): constants, and an offset in its structure, which is the same on every architecture.
    private const int CurrentFolder = -100;
    private const uint TypeWanted = 1;
    private const int ModeAt = 28, StatisticsBytes = 256;
    private const int TypeBits = 0xf000, RegularFile = 0x8000, Folder = 0x4000;

    // What a shell hands over (<(...), a pipe before the command) is open already, and somebody writes into it.
    private static readonly string[] OpenAlready = ["/dev/stdin", "/dev/fd/", "/proc/self/fd/"];

    /// <summary>Whether a path leads to something else than a file or a folder: a pipe, a socket or a device. False where there is nothing, and where the system does not say.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            var statistics = new byte[StatisticsBytes];
            return Statx(CurrentFolder, path, 0, TypeWanted, statistics) == 0 && (BitConverter.ToUInt16(statistics, ModeAt) & TypeBits) is not (RegularFile or Folder);
        }
        catch (TypeLoadException)
        {
            // Another C library, or one from before 2018.
            return false;
        }
    }

    /// <summary>Opens a file to be read from anywhere.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bufferBytes">Read ahead; 1 for none.</param>
    /// <param name="options">How it will be read.</param>
    /// <param name="share">What others may do with it meanwhile.</param>
    /// <exception cref="IOException">There is none, it can't be read, or it is a pipe, a socket or a device.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not permitted, or it is a folder.</exception>
    public static FileStream Open(string path, int bufferBytes = 1 << 16, FileOptions options = FileOptions.None, FileShare share = FileShare.Read)
    {
        if (!IsSpecial(path))
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, share, bufferBytes, options);
            if (file.CanSeek)
            {
                return file;
            }

            file.Dispose();
        }

        throw new IOException($"'{path}' is a pipe or a device, not a file; write what it gives to a file first");
    }

    /// <summary>Opens a file to be read from its beginning to its end, once: also a pipe that a shell hands over, such as <c>/dev/stdin</c>.</summary>
    /// <inheritdoc cref="Open"/>
    public static FileStream OpenOnce(string path) =>
        OpenAlready.Any(place => path.StartsWith(place, StringComparison.Ordinal)) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite) : Open(path);

    /// <summary>The bytes of a file.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] ReadAll(string path)
    {
        using var file = Open(path, 1);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] statistics);
}
