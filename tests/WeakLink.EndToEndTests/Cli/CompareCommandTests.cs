using System.Diagnostics;
using System.Text.Json;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

public class CompareCommandTests
{
    private static readonly string[] Quick = [.. Weaklink.Quick, "--set", "model.name=resnet8", "--set", "evaluation.subnets=0", "--set", "evaluation.corruptions=none"];

    [Fact]
    public void Compare_Stops_GoesOn_AndReports()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 24, 16);
        string[] command = ["compare", "plain=small", "ews=small,ews.search=policy", "--data", "pets", "--seeds", "2", "--out", "out", "--json", .. Quick];
        using (var process = Weaklink.Start(folder.Path, command))
        {
            var clock = Stopwatch.StartNew();
            while (!File.Exists(folder["out/ews-0/recipe.yaml"]))
            {
                Assert.False(process.HasExited || clock.Elapsed > TimeSpan.FromMinutes(2), "the command ended or hung");
                Thread.Sleep(5);
            }

            Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
            Assert.Contains("same command", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
            process.WaitForExit();
            Assert.Equal(130, process.ExitCode);
        }

        var written = File.GetLastWriteTimeUtc(folder["out/plain-0/summary.json"]);
        var finished = Weaklink.Run(folder.Path, command);
        Assert.True(finished.ExitCode == 0, finished.Error);
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder["out/plain-0/summary.json"]));
        Assert.Equal(File.ReadAllText(folder["out/comparison.json"]), finished.Output);
        // plain-1 after ews-0: each run's table has its own columns, and no divergence where no subnet was taught.
        Assert.Equal([false, true], finished.Error.Split('\n').Where(line => line.StartsWith(" epoch", StringComparison.Ordinal)).TakeLast(2).Select(line => line.Contains("divergence", StringComparison.Ordinal)));
        Assert.Contains("\"divergence\":null", File.ReadAllText(folder["out/plain-1/metrics.jsonl"]), StringComparison.Ordinal);
        using var document = JsonDocument.Parse(finished.Output);
        Assert.Equal(["plain", "ews"], document.RootElement.GetProperty("arms").EnumerateArray().Select(arm => arm.GetProperty("name").GetString()));
        Assert.StartsWith("weaklink compare plain=small ews=small,ews.search=policy --data pets --seeds 2", document.RootElement.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Contains("ews against plain", File.ReadAllText(folder["out/report.html"]), StringComparison.Ordinal);

        // The same runs by their folders, the other way round.
        var loaded = Weaklink.Run(folder.Path, "compare", "out/ews-0", "out/ews-1", "old=out/plain-0", "old=out/plain-1");
        Assert.True(loaded.ExitCode == 0, loaded.Error);
        Assert.Contains("difference from ews, 95 % confidence interval", loaded.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["runs/ews-vs-old/report.html"]));

        Assert.Contains("training.epochs", Weaklink.Run(folder.Path, [.. command, "--set", "training.epochs=5"]).Sentence, StringComparison.Ordinal);
        Assert.Contains("a run", Weaklink.Run(folder.Path, "compare", "shapes", "--out", "out/ews-0").Sentence, StringComparison.Ordinal);
        Assert.Contains("leave out", Weaklink.Run(folder.Path, "compare", "out/ews-0", "out/plain-0", "--seeds", "2").Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCantBeCompared_IsOneSentence()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["photos"]);
        foreach (var (expected, arguments) in new (string, string[])[]
        {
            ("There is no recipe 'shaeps'", ["shaeps"]),
            ("ews.search", ["plain=shapes,ews.serch=off"]),
            ("KEY=VALUE", ["plain=shapes,off"]),
            ("Two arms", ["plain=shapes", "plain=small"]),
            ("holds no run", ["photos"]),
            ("'shapes'", ["shapes", "--baseline", "plain"]),
            ("--seeds is '0'", ["shapes", "--seeds", "0"]),
            ("--seeds is '5-3'", ["shapes", "--seeds", "5-3"]),
            ("--seeds is '7,7'", ["shapes", "--seeds", "7,7"]),
            ("--choose-with is 'a'", ["shapes", "--choose-with", "a"]),
            ("luck", ["a=shapes,training.epochs=1|2", "--seeds", "3", "--choose-with", "2,5"]),
            ("'steps'", ["shapes", "--budget", "steps"]),
            ("--seeds", ["shapes", "--set", "seed=1"]),
            ("--out is empty", ["shapes", "--out", ""]),
        })
        {
            Assert.Contains(expected, Weaklink.Run(folder.Path, ["compare", .. arguments]).Sentence, StringComparison.Ordinal);
        }
    }
}
