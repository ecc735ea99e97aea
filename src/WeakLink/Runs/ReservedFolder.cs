using WeakLink.Files;

namespace WeakLink.Runs;

/// <summary>A name for a new folder that no other command of this machine takes meanwhile. Nothing is made there.</summary>
public sealed class ReservedFolder : IDisposable
{
    private readonly FileStream? _held;

    private ReservedFolder(string folder, FileStream? held) => (Folder, _held) = (folder, held);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Reserves the first of NAME-1, NAME-2, ... that is not there and that nobody else has.</summary>
    /// <param name="parent">Where it is to be.</param>
    /// <param name="name">What its name begins with.</param>
    public static ReservedFolder Next(string parent, string name) => Enumerable.Range(1, int.MaxValue)
        .Select(number => Path.Combine(parent, $"{name}-{number}")).Where(path => !Path.Exists(path)).Select(Of).OfType<ReservedFolder>().First();

    private static ReservedFolder? Of(string folder)
    {
        try
        {
            return LockFile.Take(Path.Combine(Path.GetTempPath(), $"weaklink-{ShortHash.Of(Path.GetFullPath(folder))}.lock")) is { } held ? new ReservedFolder(folder, held) : null;
        }
        catch (InputException)
        {
            // Where no lock can be made nothing is reserved: whoever comes second is told then.
            return new ReservedFolder(folder, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();
}
