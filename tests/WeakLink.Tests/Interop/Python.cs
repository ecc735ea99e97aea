using System.Collections.Concurrent;
using System.Diagnostics;

namespace WeakLink.Tests.Interop;

/// <summary>A Python that has certain modules, for checks against other programs; tests that need it are skipped where there is none.</summary>
internal static class Python
{
    private static readonly ConcurrentDictionary<string, string?> Programs = new(StringComparer.Ordinal);

    /// <summary>Runs a script and gives back what it printed; skips the test where there are no such modules.</summary>
    /// <param name="modules">What it imports, with commas between.</param>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    public static string Require(string modules, string script, params IEnumerable<string> arguments)
    {
        var program = Programs.GetOrAdd(modules, _ => new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(program => Run(program, $"import {modules}").ExitCode == 0));
        Assert.SkipUnless(program is not null, $"no python3 on this machine can import {modules}");
        var (exitCode, output) = Run(program!, script, arguments);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private static (int ExitCode, string Output) Run(string program, string script, params IEnumerable<string> arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, ["-c", script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["OMP_NUM_THREADS"] = "1";
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }
}
