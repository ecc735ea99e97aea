namespace WeakLink.Files;

/// <summary>A file that a process holds while it works on something that others must leave alone; gone when it is closed, or with the process.</summary>
internal static class LockFile
{
    /// <summary>Takes a lock.</summary>
    /// <param name="path">The file; its folder is made where it is missing.</param>
    /// <returns>To be closed in the end; null where another process holds it.</returns>
    /// <exception cref="InputException">The folder can't be written to.</exception>
    public static FileStream? Take(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException exception) when (DiskErrors.IsLockedByAnother(exception))
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWriteInto(folder, exception);
        }
    }
}
