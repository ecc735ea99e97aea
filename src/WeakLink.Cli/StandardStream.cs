using System.Runtime.InteropServices;
using System.Text;

namespace WeakLink.Cli;

/// <summary>
/// Standard output or standard error as others leave them: closed, a pipe that nobody reads, a terminal that has hung up, a full disk.
/// None of that may end a training that somebody waits for; what could not be written is said at the end.
/// </summary>
internal sealed partial class StandardStream : Stream
{
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    private readonly Stream _inner;

    private StandardStream(Stream inner) => _inner = inner;

    /// <summary>Why something could not be written; null where all was.</summary>
    public IOException? Failure { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Puts standard output in place of the console's own.</summary>
    public static StandardStream Output()
    {
        var stream = new StandardStream(WasClosed(1) ? Null : Console.OpenStandardOutput());
        Console.SetOut(Writer(stream));
        return stream;
    }

    /// <summary>Puts standard error in place of the console's own.</summary>
    public static void Error() => Console.SetError(Writer(new StandardStream(WasClosed(2) ? Null : Console.OpenStandardError())));

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Failure is null)
        {
            try
            {
                _inner.Write(buffer);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Failure = exception as IOException ?? new IOException(exception.Message, exception);
            }
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private static StreamWriter Writer(StandardStream stream) =>
        new(stream, Console.OutputEncoding is UTF8Encoding ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) : Console.OutputEncoding) { AutoFlush = true };

    // Where the shell closed it (2>&-), its number was given to the first thing that .NET opened, which must not be written to. What .NET opens is
    // closed on exec; what was handed down can't be.
    private static bool WasClosed(int descriptor) =>
        !OperatingSystem.IsWindows() && Control(descriptor, GetFlags, 0) is var flags && (flags < 0 || (flags & CloseOnExec) != 0);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);
}
