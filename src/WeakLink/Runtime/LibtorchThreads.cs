using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>
/// As many threads of libtorch as something asks for, for as long as it runs. They are the whole process's, so this is for whoever speaks for it, and nothing else changes their
/// number; disposed, there are as many as before.
/// </summary>
public sealed class LibtorchThreads : IDisposable
{
    private readonly int _before = torch.get_num_threads();

    /// <summary>Asks.</summary>
    /// <param name="count">How many; 0: as many as there are.</param>
    public LibtorchThreads(int count)
    {
        if (count > 0)
        {
            torch.set_num_threads(count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => torch.set_num_threads(_before);
}
