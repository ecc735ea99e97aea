using WeakLink.Runtime;

namespace WeakLink.Files;

/// <summary>What the operating system means by a failed open or write, in words for people.</summary>
internal static class DiskErrors
{
    // .NET passes errno through on Unix and the Win32 code in the low half on Windows.
    private const int NoSpaceUnix = 28;
    private const int NoSpaceWindows = unchecked((int)0x80070070);
    private const int HandleDiskFullWindows = unchecked((int)0x80070027);
    private const int NameTooLongUnix = 36;
    private const int WouldBlockLinux = 11;
    private const int WouldBlockMac = 35;
    private const int SharingViolationWindows = unchecked((int)0x80070020);

    public static bool IsLockedByAnother(IOException error) => error.HResult is WouldBlockLinux or WouldBlockMac or SharingViolationWindows;

    /// <summary>The sentence for a folder that the user named and that takes no file.</summary>
    public static InputException CannotWriteInto(string folder, Exception error) =>
        new($"'{folder}' can't be written to ({error.Message.TrimEnd('.')}): free some space, check its permissions, or choose another folder.", error);

    /// <summary>The sentence for a write into the cache that failed.</summary>
    public static InputException CannotWrite(string path, Exception error) => error is IOException { HResult: NoSpaceUnix or NoSpaceWindows or HandleDiskFullWindows }
        ? new InputException($"The disk that holds {path} is full: free some space, or choose another cache folder with {CacheFolder.Variable}, then run the same command again.", error)
        : error is PathTooLongException or IOException { HResult: NameTooLongUnix }
        ? new InputException($"Can't write {path}: a name in it is longer than this disk takes; shorten it, or extract the archive yourself and give the folder.", error)
        : new InputException($"Can't write {path} ({error.Message.TrimEnd('.')}): check its permissions, or choose another cache folder with {CacheFolder.Variable}.", error);
}
