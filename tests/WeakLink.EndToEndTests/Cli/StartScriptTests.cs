using System.Diagnostics;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

// The script of the repository, with a dotnet that only says what it was asked for.
public sealed class StartScriptTests : IDisposable
{
    private const string Program = "src/WeakLink.Cli/bin/Release/net10.0/any/WeakLink.Cli.dll";

    private readonly TemporaryFolder _folder = new();

    public StartScriptTests()
    {
        foreach (var file in new[] { "src/WeakLink/A.cs", "src/WeakLink/Room/B.cs", "src/WeakLink.Cli/C.cs", "recipes/small.yaml", "README.md", "Directory.Build.props", "global.json" })
        {
            Write(file, "");
        }

        File.Copy(Path.Combine(Repository.Path, "weaklink"), At("weaklink"));
        Write("programs/dotnet", $"#!/bin/sh\nif [ \"$1\" = build ]; then echo built; mkdir -p '{Path.GetDirectoryName(At(Program))}'; touch '{At(Program)}'; else echo \"$2\"; fi\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(At("programs/dotnet"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void BuildsOnce_ThenStarts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A shell script.");
        Assert.Equal(("built\n", "train\n"), Run());
        Assert.Equal(("", "train\n"), Run());
    }

    [Theory]
    [InlineData("src/WeakLink/Room/B.cs")]
    [InlineData("src/WeakLink.Cli/New.cs")]
    [InlineData("recipes/small.yaml")]
    [InlineData("Directory.Build.props")]
    public void BuildsAgain_WhereAFileIsNewer(string file)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A shell script.");
        Run();
        // The clock of the file system ticks every few milliseconds.
        Thread.Sleep(20);
        Write(file, "changed");
        // As unpacked from an archive.
        File.SetLastWriteTimeUtc(At(file), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(("built\n", "train\n"), Run());
        Assert.Equal(("", "train\n"), Run());
    }

    [Theory]
    [InlineData("src/WeakLink/Room/B.cs")]
    [InlineData(Program)]
    public void BuildsAgain_WhereAFileIsGone(string file)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A shell script.");
        Run();
        Thread.Sleep(20);
        File.Delete(At(file));
        Assert.Equal(("built\n", "train\n"), Run());
    }

    private string At(string file) => _folder[$"a folder/{file}"];

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(file))!);
        File.WriteAllText(At(file), text);
    }

    private (string Error, string Output) Run()
    {
        var start = new ProcessStartInfo("/bin/sh", [At("weaklink"), "train"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{At("programs")}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
        process.WaitForExit();
        return (error, output);
    }
}
