using System.Diagnostics;

namespace WeakLink.Tests.Interop;

/// <summary>A Python that has PyTorch, for checks against the original; tests that need it are skipped where there is none.</summary>
internal static class PythonTorch
{
    private static readonly string? Program = new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(program => Run(program, "import torch, numpy").ExitCode == 0);

    /// <summary>Runs a script and gives back what it printed; skips the test where there is no PyTorch.</summary>
    public static string Require(string script)
    {
        Assert.SkipUnless(Program is not null, "no python3 on this machine can import torch");
        var (exitCode, output) = Run(Program!, script);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private static (int ExitCode, string Output) Run(string program, string script)
    {
        try
        {
            var start = new ProcessStartInfo(program, ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
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
