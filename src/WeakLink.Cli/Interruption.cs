using System.Runtime.InteropServices;

namespace WeakLink.Cli;

/// <summary>Turns the first Ctrl-C (or SIGTERM, SIGQUIT, or SIGHUP: the terminal was closed) into a request to save and stop; the second ends the program at once.</summary>
internal sealed class Interruption : IDisposable
{
    private static readonly PosixSignal[] Stopping = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP];

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption() => _registrations = [.. Stopping.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        if (context.Cancel)
        {
            Console.Error.WriteLine("\nStopping (once more to stop at once) ...");
        }

        _source.Cancel();
    }
}
