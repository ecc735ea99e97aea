using System.Diagnostics;

namespace WeakLink.Tests.Core;

/// <summary>Pipes with names, which nobody writes into.</summary>
internal static class Pipes
{
    public static string Make(string path)
    {
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return path;
    }
}
