using System.Diagnostics;

namespace WeakLink.Tests.Cli;

/// <summary>The command as a process of its own, as a user runs it.</summary>
internal static class Weaklink
{
    /// <summary>Settings that make a run take seconds.</summary>
    public static readonly string[] Quick =
    [
        "--set", "data.limit=160", "--set", "model.width-multiplier=0.5", "--set", "training.epochs=2", "--set", "training.batch=16",
        "--set", "training.precision=fp32", "--set", "training.layout=contiguous",
        "--set", "evaluation.subnets=1", "--set", "evaluation.subnet-images=20", "--set", "evaluation.search-updates=1", "--set", "evaluation.recalibration-images=16", "--set", "evaluation.corruption-images=20",
    ];

    // One for all processes: the embedded images are drawn, and layers checked, once.
    public static string Cache { get; } = Path.Combine(AppContext.BaseDirectory, "cache");

    public sealed record Outcome(int ExitCode, string Output, string Error)
    {
        /// <summary>The single sentence of a refusal.</summary>
        public string Sentence
        {
            get
            {
                Assert.True(ExitCode == 2, $"exit code {ExitCode}\n{Output}\n{Error}");
                Assert.DoesNotContain("   at ", Error);
                return Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            }
        }
    }

    public static Process Start(string workingFolder, params IEnumerable<string> arguments) => Start(workingFolder, arguments, takesInput: false);

    /// <summary>By a launcher, or with other variables in its environment.</summary>
    public static Outcome RunBy(string[] launcher, string workingFolder, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        using var process = Start(workingFolder, arguments, takesInput: false, launcher, environment);
        return Ended(process);
    }

    private static Process Start(string workingFolder, IEnumerable<string> arguments, bool takesInput, string[]? launcher = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "WeakLink.Cli.exe" : "WeakLink.Cli");
        // Tests that run in the background of a shell hand on that Ctrl-C and others are ignored; here they must work.
        var command = OperatingSystem.IsLinux() ? [.. launcher ?? [], "env", "--default-signal=INT,HUP,QUIT,TERM", program, .. arguments] : (string[])[.. launcher ?? [], program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = workingFolder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = takesInput,
        };
        start.Environment["WEAKLINK_CACHE"] = Cache;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public static Outcome Run(string workingFolder, params IEnumerable<string> arguments)
    {
        using var process = Start(workingFolder, arguments);
        return Ended(process);
    }

    /// <summary>With something on standard input.</summary>
    public static Outcome RunWith(string workingFolder, byte[] input, params IEnumerable<string> arguments)
    {
        using var process = Start(workingFolder, arguments, takesInput: true);
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        return Ended(process);
    }

    private static Outcome Ended(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output.Result, error.Result);
    }
}
