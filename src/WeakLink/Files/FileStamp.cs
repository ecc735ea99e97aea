using System.Runtime.InteropServices;

namespace WeakLink.Files;

/// <summary>What tells that a file is still the one that it was, without reading it.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="Modified">When its content was written last.</param>
/// <param name="Changed">
/// When its entry in the file system changed last, which no program can set back: it tells files of equal length and age apart that changed their
/// names, as images unpacked from one archive may. Where the system doesn't say: when it was made.
/// </param>
/// <param name="Node">Its number in the file system; 0 where the system doesn't say.</param>
internal readonly partial record struct FileStamp(long Length, long Modified, long Changed, long Node)
{
    // statx(2): constants, and offsets in its structure, which is the same on every architecture.
    private const int CurrentFolder = -100;
    private const uint BasicStatistics = 0x7ff;
    private const int NodeAt = 32, LengthAt = 40, ChangedAt = 96, ModifiedAt = 112, StatisticsBytes = 256;

    /// <summary>The stamp of a file; that of an empty one where there is none, or it can't be looked at.</summary>
    public static FileStamp Of(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                var statistics = new byte[StatisticsBytes];
                if (Statx(CurrentFolder, path, 0, BasicStatistics, statistics) == 0)
                {
                    return new(BitConverter.ToInt64(statistics, LengthAt), Nanoseconds(statistics, ModifiedAt), Nanoseconds(statistics, ChangedAt), BitConverter.ToInt64(statistics, NodeAt));
                }
            }
            catch (TypeLoadException)
            {
                // Another C library, or one from before 2018.
            }
        }

        var file = new FileInfo(path);
        return file.Exists ? new(file.Length, file.LastWriteTimeUtc.Ticks, file.CreationTimeUtc.Ticks, 0) : default;
    }

    private static long Nanoseconds(byte[] statistics, int at) => unchecked((BitConverter.ToInt64(statistics, at) * 1_000_000_000) + BitConverter.ToUInt32(statistics, at + sizeof(long)));

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] statistics);
}
