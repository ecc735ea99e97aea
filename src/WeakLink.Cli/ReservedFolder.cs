using System.Security.Cryptography;
using System.Text;

namespace WeakLink.Cli;

/// <summary>A name that commands of this machine which begin at the same time don't take, too. Nothing lies there before the training begins.</summary>
/// <param name="Folder">The folder.</param>
internal sealed record ReservedFolder(string Folder) : IDisposable
{
    private FileStream? _held;

    /// <summary>Reserves a folder.</summary>
    /// <returns>Null where another command has.</returns>
    public static ReservedFolder? Of(string folder)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..16];
        var file = Path.Combine(Path.GetTempPath(), $"weaklink-{name}.lock");
        try
        {
            return new ReservedFolder(folder) { _held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose) };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Where no file can be made, nothing can be reserved: whoever comes second is told.
            return File.Exists(file) ? null : new ReservedFolder(folder);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();
}
