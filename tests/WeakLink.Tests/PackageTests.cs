using System.Diagnostics;
using SkiaSharp;
using WeakLink.Tests.Data;

namespace WeakLink.Tests;

/// <summary>The packages, as a stranger uses them: from a folder, in an empty one.</summary>
public sealed class PackageTests
{
    private const string Wanted = "WEAKLINK_TEST_PACKAGES";

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    // A program of seconds: what it does is trained and measured in other tests.
    private static readonly string[] Quick =
    [
        "model.width-multiplier=0.25", "training.epochs=1", "training.batch=8", "training.precision=fp32", "training.layout=contiguous",
        "evaluation.subnets=1", "evaluation.search-updates=1", "evaluation.recalibration-images=8", "evaluation.corruptions=none",
    ];

    [Fact]
    public void ToolAndLibrary_InstallFromAFolder_AndReadmesProgramRuns()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable(Wanted) is { Length: > 0 }, $"takes minutes: set {Wanted}=1 to pack, install and run");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the command's package is one for Linux");
        using var folder = new TemporaryFolder();
        foreach (var project in new[] { "src/WeakLink", "src/WeakLink.Cli" })
        {
            // What was built with these tests, which have some of it loaded.
            Dotnet(Repository.Path, "pack", project, "--no-build", "-c", Configuration, "-o", folder["feed"]);
        }

        // What this machine has restored before is found where it lies; WeakLink's own packages must not stay there.
        var restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(folder["nuget.config"], $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{folder["feed"]}" /></packageSources>
              <config><add key="globalPackagesFolder" value="{folder["packages"]}" /></config>
              <fallbackPackageFolders><add key="restored" value="{restored}" /></fallbackPackageFolders>
            </configuration>
            """);

        Dotnet(folder.Path, "tool", "install", "--tool-path", folder["tools"], "WeakLink.Cli");
        Assert.Contains("libtorch             2.10.0", Run(folder.Path, folder["tools/weaklink"], "info"), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(folder["tools"], "*", SearchOption.AllDirectories), file => file.EndsWith(".dylib", StringComparison.Ordinal) || file.Contains("win-x64", StringComparison.Ordinal));

        Dotnet(folder.Path, "new", "console", "-o", "classify");
        Dotnet(folder.Path, "add", "classify", "package", "WeakLink");
        Dotnet(folder.Path, "add", "classify", "package", "TorchSharp-cpu", "--version", "0.107.0");
        // As docs/packages.md says.
        File.WriteAllText(folder["classify/classify.csproj"], File.ReadAllText(folder["classify/classify.csproj"]).Replace("<OutputType>", "<UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier><OutputType>", StringComparison.Ordinal));
        File.WriteAllText(folder["classify/Program.cs"], Program());
        foreach (var (name, colour) in new[] { ("cat", SKColors.Orange), ("dog", SKColors.Brown) })
        {
            for (var i = 0; i < 8; i++)
            {
                Pictures.Write(folder[$"photos/{name}/{i}.jpg"], colour.WithBlue((byte)(10 * i)), 32, 32);
            }
        }

        Pictures.Write(folder["new/cat.jpg"], SKColors.Orange, 40, 30);
        var said = Dotnet(folder.Path, ["run", "-c", "Release", "--project", "classify", "--", .. Quick]);
        Assert.Matches(@"of \d+ test images are right[\s\S]*(cat|dog) \d+[\s\S]*between the logits of the network and of its weakest subnet", said);
        Assert.True(File.Exists(folder["runs/photos/report.html"]));
        Assert.False(Directory.Exists(folder["classify/bin/Release/net10.0/runtimes"]));
    }

    // The first program under the heading.
    private static string Program()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Path, "README.md")).SkipWhile(line => line != "## In a program").SkipWhile(line => line != "```csharp").Skip(1).TakeWhile(line => line != "```");
        return string.Join('\n', lines);
    }

    private static string Dotnet(string folder, params string[] arguments) => Run(folder, "dotnet", arguments);

    private static string Run(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // What stays behind would hold on to the output of those that started it.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["WEAKLINK_CACHE"] = Cli.Weaklink.Cache;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        var said = output.Result + error.Result;
        Assert.SkipWhen(said.Contains("NU1101", StringComparison.Ordinal) || said.Contains("NU1301", StringComparison.Ordinal), $"this machine has not restored all packages, and there is no registry: {said}");
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{said}");
        return said;
    }
}
