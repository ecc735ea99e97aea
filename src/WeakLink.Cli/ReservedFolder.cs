using System.Security.Cryptography;
using System.Text;

namespace WeakLink.Cli;

/// <summary>A name for a new folder that no other command of this machine takes meanwhile. Nothing is made there.</summary>
internal sealed class ReservedFolder : IDisposable
{
    private readonly FileStream? _held;

    private ReservedFolder(string folder, FileStream? held) => (Folder, _held) = (folder, held);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Reserves a folder.</summary>
    /// <returns>Null where another command has.</returns>
    public static ReservedFolder? Of(string folder)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..16];
        var file = Path.Combine(Path.GetTempPath(), $"weaklink-{name}.lock");
        try
        {
            return new ReservedFolder(folder, new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Where no file can be made, nothing can be reserved: whoever comes second is told.
            return File.Exists(file) ? null : new ReservedFolder(folder, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();
}
