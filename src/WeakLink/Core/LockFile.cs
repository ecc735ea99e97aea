namespace WeakLink;

/// <summary>A file that a process holds while it works on something that others must leave alone; gone when it is closed, or with the process.</summary>
internal static class LockFile
{
    /// <summary>Takes a lock.</summary>
    /// <param name="path">The file; its folder is made where it is missing.</param>
    /// <returns>To be closed in the end; null where another process holds it.</returns>
    public static FileStream? Take(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
