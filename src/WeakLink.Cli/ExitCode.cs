namespace WeakLink.Cli;

internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>WeakLink itself is at fault.</summary>
    public const int Fault = 1;

    /// <summary>Bad usage or bad input.</summary>
    public const int BadInput = 2;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT), as shells expect.</summary>
    public const int Interrupted = 130;
}
