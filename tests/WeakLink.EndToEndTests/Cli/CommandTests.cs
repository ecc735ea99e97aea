using System.Diagnostics;
using System.Text.Json;
using SkiaSharp;
using WeakLink.Files;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

public class CommandTests
{
    [Fact]
    public void Train_Evaluate_Predict_OnAFolderOfPictures()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 24, 16);
        var trained = Weaklink.Run(folder.Path, ["train", "--data", "pets", "--out", "run", "--seed", "3", "--ews", "policy", "--json", .. Weaklink.Quick]);
        Assert.True(trained.ExitCode == 0, trained.Error);
        using var summary = JsonDocument.Parse(trained.Output);
        var root = summary.RootElement;
        Assert.Equal("pets", root.GetProperty("data").GetString());
        Assert.Equal(3, root.GetProperty("seed").GetInt64());
        Assert.Equal("policy", root.GetProperty("ews").GetString());
        Assert.InRange(root.GetProperty("clean").GetProperty("top1").GetDouble(), 0, 1);
        foreach (var key in new[] { "top5", "nll", "ece" })
        {
            Assert.True(root.GetProperty("clean").GetProperty(key).GetDouble() >= 0);
        }

        foreach (var kind in new[] { "random", "proposed" })
        {
            var subnets = root.GetProperty("subnets").GetProperty(kind);
            Assert.InRange(subnets.GetProperty("min").GetDouble(), 0, subnets.GetProperty("mean").GetDouble());
        }

        Assert.Equal(0.7, root.GetProperty("subnets").GetProperty("width").GetDouble());
        Assert.True(root.GetProperty("seconds").GetProperty("train").GetDouble() > 0);
        Assert.Equal(File.ReadAllText(folder["run/summary.json"]), trained.Output);

        var evaluated = Weaklink.Run(folder.Path, "evaluate", "run", "--json");
        Assert.True(evaluated.ExitCode == 0, evaluated.Error);
        using var again = JsonDocument.Parse(evaluated.Output);
        Assert.Equal(root.GetProperty("clean").ToString(), again.RootElement.GetProperty("clean").ToString());
        Assert.Equal(root.GetProperty("subnets").ToString(), again.RootElement.GetProperty("subnets").ToString());

        var predicted = Weaklink.Run(folder.Path, "predict", "run", "pets/cat/00.png", "pets/dog", "--json");
        using var predictions = JsonDocument.Parse(predicted.Output);
        Assert.Equal(25, predictions.RootElement.GetArrayLength());
        Assert.All(predictions.RootElement.EnumerateArray(), item =>
        {
            Assert.Contains(item.GetProperty("class").GetString(), new[] { "cat", "dog" });
            Assert.InRange(item.GetProperty("confidence").GetDouble(), 0.5, 1);
        });
        Assert.Equal(25, Weaklink.Run(folder.Path, "predict", "run", "pets/cat/00.png", "pets/dog").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("trian", "did you mean 'train'?")]
    [InlineData("data descibe pets", "did you mean 'describe'?")]
    [InlineData("train --ouput run", "did you mean '--out'?")]
    [InlineData("train --epochs=3", "did you mean '--set training.epochs=...'?")]
    [InlineData("train --batch-size 3", "did you mean '--set training.batch=...'?")]
    [InlineData("attack run --epsilon 0.1", "did you mean '--eps'?")]
    [InlineData("train --lr 0.1", "weaklink train has no option '--lr'.")]
    [InlineData("train extra --skip-bad", "did you mean '--skip-bad-images'?")]
    [InlineData("data describe pets --epochs 3", "weaklink data describe has no option '--epochs'.")]
    [InlineData("predict run a.png --jsn", "weaklink predict has no option '--jsn'; did you mean '--json'?")]
    [InlineData("augment small a.png --out a.png", "--out a.png is what this command reads")]
    [InlineData("augment a.png b.png --out a.png", "--out a.png is what this command reads")]
    [InlineData("import net.pth --out ./net.pth", "--out ./net.pth is what this command reads ('net.pth')")]
    [InlineData("export net.safetensors --out net.safetensors", "--out net.safetensors is what this command reads")]
    [InlineData("augment small a.png --out sheet.jpg", "'sheet.jpg' is not the name of a PNG file")]
    [InlineData("train --data pets --set data.source=others", "--data and --set data.source say the same")]
    [InlineData("evaluate run --eps 8/255 --attack pgd --set evaluation.attack-eps=4/255", "--eps and --set evaluation.attack-eps say the same")]
    [InlineData("evaluate run --limit 5 --set evaluation.images=10", "--limit and --set evaluation.images say the same")]
    [InlineData("import net.pth --model resnet8 --set model.name=resnet18 --out net.safetensors", "--model and --set model.name say the same")]
    [InlineData("train --seed 1 --set seed=2", "--seed and --set seed say the same")]
    [InlineData("helo", "weaklink has no command 'helo'. All: train, ")]
    [InlineData("predict", "Required argument 'MODEL' missing")]
    [InlineData("train --seed one", "Cannot parse argument 'one' for option '--seed': give a whole number.")]
    [InlineData("train --extra-fraction half", "'--extra-fraction': give a number.")]
    public void MistypedCommandsAndOptions_AreExplained(string line, string explanation)
    {
        using var folder = new TemporaryFolder();
        var result = Weaklink.Run(folder.Path, line.Split(' '));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(explanation, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void WithoutACommand_ShowsWhatThereIs()
    {
        using var folder = new TemporaryFolder();
        var result = Weaklink.Run(folder.Path);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("compare <RECIPE|RUN>", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void BadInput_IsOneSentence_AndExitCode2()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 4);
        Directory.CreateDirectory(folder["empty/cat"]);
        Directory.CreateDirectory(folder["empty/dog"]);
        File.WriteAllText(folder["note.txt"], "text");
        File.WriteAllText(folder["fake.png"], "text");
        File.WriteAllText(folder["broken.safetensors"], "not one");
        File.WriteAllText(folder["bad.yaml"], "ews:\n  widht: 0.5");
        File.WriteAllBytes(folder["latin.yaml"], [.. "name: caf"u8, 0xe9]);
        File.WriteAllText(folder["open.yaml"], "training:\n  milestones: [0.3, 0.5\n");
        // More classes than anybody has, in a file that holds none of their numbers.
        var header = """{"fc.weight":{"dtype":"F32","shape":[3000000000,0],"data_offsets":[0,0]}}"""u8;
        File.WriteAllBytes(folder["claims.safetensors"], [.. BitConverter.GetBytes((long)header.Length), .. header]);
        var (picture, many) = (File.ReadAllBytes(folder["pets/cat/00.png"]), string.Join(',', Enumerable.Range(1, 20).Select(i => $"training.epochs={i}")));
        foreach (var (expected, arguments) in new (string, string[])[]
        {
            ("nowhere", ["train", "--data", "nowhere"]),
            ("no images", ["train", "--data", "empty"]),
            ("neither an archive", ["train", "--data", "note.txt"]),
            ("ews.width", ["train", "--recipe", "bad.yaml"]),
            ("'open.yaml' is not valid YAML at line", ["train", "--recipe", "open.yaml"]),
            ("'latin.yaml' is not UTF-8", ["train", "--recipe", "latin.yaml"]),
            ("ews.width", ["train", "--set", "ews.widht=0.5"]),
            ("'pets '", ["train", "--data", "pets "]),
            ("above 0 and at most 1", ["train", "--set", "ews.width=0"]),
            ("training.batch", ["train", "--set", "training.batch=0"]),
            ("resnet18", ["train", "--set", "model.name=resnet19", "--set", "data.limit=20"]),
            ("There is no recipe", ["train", "--recipe", "shaeps"]),
            ("policy", ["train", "--ews", "sometimes"]),
            ("(--out DIR, --resume)", ["train", "--resume", "--out", "pets"]),
            ("keeps its recipe", ["train", "--resume", "--seed", "4"]),
            ("choose another folder (--out DIR, --resume).", ["train", "--out", "pets"]),
            ("is empty", ["train", "--data", ""]),
            ("--out is empty", ["train", "--out", ""]),
            ("--out is empty", ["attack", "somewhere", "--out", ""]),
            ("--attack-state is empty", ["evaluate", "somewhere", "--attack-state", " "]),
            ("not a safetensors file", ["evaluate", "broken.safetensors"]),
            ("no model", ["evaluate", "absent"]),
            ("not a safetensors file", ["predict", "broken.safetensors", "fake.png"]),
            ("no image", ["predict", "broken.safetensors", "absent.png"]),
            ("is not known", ["data", "fetch", "cifar11"]),
            ("absent", ["data", "verify", "absent"]),
            ("claims 3,000,000,000 classes, but holds 0 numbers", ["import", "claims.safetensors", "--model", "resnet18", "--mean", "0,0,0", "--std", "1,1,1", "--out", "o.safetensors"]),
            ("claims 3,000,000,000 classes", ["train", "--data", "pets", "--weights", "claims.safetensors", "--set", "model.name=resnet18", "--set", "model.mean=0,0,0", "--set", "model.standard-deviation=1,1,1"]),
            ("('pets/cat/00.png'), and would be overwritten", ["augment", "small", "pets/cat", "--out", "pets/cat/00.png"]),
            ("'pets/cat/00.png' is an image, and would be overwritten", ["data", "pack", "pets", "pets/cat/00.png"]),
            ("--set training.epochs=3 would change nothing", ["data", "describe", "pets", "--set", "training.epochs=3"]),
            ("--set data.limit=2 would change nothing", ["data", "pack", "pets", "pets.pack", "--set", "data.limit=2"]),
            ("--set evaluation.images=2 would change nothing", ["corrupt", "pets", "--out", "c", "--set", "evaluation.images=2"]),
            ("images of 32x32 pixels, not of data.size = 64", ["train", "--set", "data.size=64"]),
            ("is too long a name for the folders of its runs", ["compare", $"shapes,{many}", "--seeds", "1", "--out", "cmp"]),
            ("frost textures 'nowhere' does not exist", ["train", "--data", "pets", "--quick", "--set", "evaluation.frost-textures=nowhere"]),
            ("perturbation sequences 'nowhere' does not exist", ["train", "--data", "pets", "--quick", "--set", "evaluation.perturbations=benchmark", "--set", "evaluation.perturbed-images=nowhere"]),
        })
        {
            Assert.Contains(expected, Weaklink.Run(folder.Path, arguments).Sentence);
        }

        Assert.Equal(picture, File.ReadAllBytes(folder["pets/cat/00.png"]));
        Assert.False(Path.Exists(folder["runs"]) || Path.Exists(folder["cmp"]));
    }

    [Fact]
    public void AFileCalledLikeAResponseFile_IsAFile()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["@pets"], 4);
        var described = Weaklink.Run(folder.Path, "data", "describe", "@pets");
        Assert.True(described.ExitCode == 0, described.Error);
        Assert.Contains("@pets", described.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void BadUsage_NamesTheHelp()
    {
        using var folder = new TemporaryFolder();
        foreach (var arguments in new string[][] { ["trian"], ["train", "--sed", "1"], ["train", "--seed", "x"], ["predict"] })
        {
            var outcome = Weaklink.Run(folder.Path, arguments);
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains("--help", outcome.Error);
            Assert.DoesNotContain("   at ", outcome.Error);
        }
    }

    [Fact]
    public void CheckpointOfAnotherArchitecture_NamesTheDifference()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Weaklink.Run(folder.Path, ["train", "--out", "run", .. Weaklink.Quick]).ExitCode);
        var (tensors, metadata) = SafeTensors.Read(folder["run/checkpoints/best.safetensors"]);
        metadata["recipe"] = metadata["recipe"].Replace("'resnet8'", "'resnet14'", StringComparison.Ordinal);
        SafeTensors.Write(folder["other.safetensors"], tensors, metadata);
        var sentence = Weaklink.Run(folder.Path, "evaluate", "other.safetensors").Sentence;
        Assert.Contains("another architecture", sentence);
        Assert.Contains("numbers, the network more than", sentence);
        metadata["recipe"] = metadata["recipe"].Replace("width-multiplier: 0.5", "width-multiplier: 0.25", StringComparison.Ordinal);
        SafeTensors.Write(folder["small.safetensors"], tensors, metadata);
        sentence = Weaklink.Run(folder.Path, "evaluate", "small.safetensors").Sentence;
        Assert.Contains("another architecture", sentence);
        Assert.Contains("layer1.1.", sentence);

        Pictures.WriteClasses(folder["pets"], 4);
        Assert.Contains("not those", Weaklink.Run(folder.Path, "evaluate", "run", "--set", "data.limit=30").Sentence);
        Assert.Contains("evaluation.", Weaklink.Run(folder.Path, "evaluate", "run", "--set", "model.name=resnet14").Sentence);
        Assert.Contains("classes", Weaklink.Run(folder.Path, "evaluate", "run", "--data", "pets").Sentence);
        Assert.Contains("--reference run would not be read", Weaklink.Run(folder.Path, "evaluate", "run", "--reference", "run", "--corruptions", "none").Sentence);
        Pictures.Write(folder["good.png"], SKColors.Red, 32, 32);
        File.WriteAllText(folder["bad.png"], "text");
        Assert.Contains("bad.png", Weaklink.Run(folder.Path, "predict", "run", "good.png", "bad.png").Sentence);
        var skipping = Weaklink.Run(folder.Path, "predict", "run", "good.png", "bad.png", "--skip-bad-images");
        Assert.Equal(0, skipping.ExitCode);
        Assert.Contains("Skipped 1", skipping.Error);
    }

    [Fact]
    public void CtrlC_Saves_Exits130_AndTheRunResumes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using var folder = new TemporaryFolder();
        using (var process = Weaklink.Start(folder.Path, ["train", "--out", "run", .. Weaklink.Quick, "--set", "training.epochs=1000"]))
        {
            WaitFor(() => File.Exists(folder["run/metrics.jsonl"]), process);
            Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
            if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
            {
                process.Kill();
                Assert.Fail("Ctrl-C did not stop the training.");
            }

            Assert.Equal(130, process.ExitCode);
        }

        Assert.True(File.Exists(folder["run/checkpoints/last.safetensors"]));
        using var resumed = Weaklink.Start(folder.Path, ["train", "--resume", "--out", "run"]);
        var before = File.ReadLines(folder["run/metrics.jsonl"]).Count();
        WaitFor(() => File.ReadLines(folder["run/metrics.jsonl"]).Count() > before, resumed);
        resumed.Kill();
    }

    // The terminal was closed, kill, Ctrl-\.
    [Theory]
    [InlineData("HUP")]
    [InlineData("TERM")]
    [InlineData("QUIT")]
    public void OtherSignals_SaveToo(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using var folder = new TemporaryFolder();
        using var process = Weaklink.Start(folder.Path, ["train", "--out", "run", .. Weaklink.Quick, "--set", "training.epochs=1000", "--set", "training.checkpoint-every=1000"]);
        WaitFor(() => File.Exists(folder["run/metrics.jsonl"]), process);
        Assert.False(File.Exists(folder["run/checkpoints/last.safetensors"]));
        Process.Start("kill", [$"-{signal}", $"{process.Id}"]).WaitForExit();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill();
            Assert.Fail($"SIG{signal} did not stop the training.");
        }

        Assert.Equal(130, process.ExitCode);
        Assert.True(File.Exists(folder["run/checkpoints/last.safetensors"]));
    }

    [Theory]
    [InlineData("predict absent.safetensors a.png 2>&-", 2)]
    [InlineData("predict absent.safetensors a.png >&- 2>&-", 2)]
    [InlineData("predict absent.safetensors a.png <&- >&- 2>&-", 2)]
    [InlineData("predict absent.safetensors a.png 2>/dev/full", 2)]
    [InlineData("trian 2>&-", 2)]
    [InlineData("info 2>&-", 0)]
    [InlineData("info >&-", 0)]
    [InlineData("info >&- 2>&-", 0)]
    [InlineData("info >/dev/full", 2)]
    [InlineData("info | head -1 >/dev/null", 0)]
    [InlineData("--help | true", 0)]
    public async Task ClosedAndFullOutput_IsNoAbort(string line, int code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "speaks to a shell");
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("bash", ["-c", $"set -o pipefail; '{Path.Combine(AppContext.BaseDirectory, "WeakLink.Cli")}' {line}"]) { WorkingDirectory = folder.Path, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var reading = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await reading;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(code, process.ExitCode);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Equal(line.EndsWith("/dev/full", StringComparison.Ordinal) && code == 2 && line.StartsWith("info", StringComparison.Ordinal), error.Contains("standard output could not be written", StringComparison.Ordinal));
    }

    [Fact]
    public void KilledAtAnyMoment_TheRunResumes_ToTheSameWeights()
    {
        using var folder = new TemporaryFolder();
        string[] recipe = [.. Weaklink.Quick, "--set", "training.epochs=6", "--set", "data.limit=64"];
        Assert.Equal(0, Weaklink.Run(folder.Path, ["train", "--out", "whole", .. recipe]).ExitCode);

        var random = new SeededRandom(11, RandomUse.Shuffle);
        var kills = 0;
        for (var attempt = 0; !File.Exists(folder["killed/summary.json"]); attempt++)
        {
            Assert.True(attempt < 40, "the run makes no progress");
            using var process = RunExists() ? Weaklink.Start(folder.Path, "train", "--resume", "--out", "killed") : Weaklink.Start(folder.Path, ["train", "--out", "killed", .. recipe]);
            _ = process.StandardOutput.ReadToEndAsync();
            var checkpoint = folder["killed/checkpoints/last.safetensors"];
            var before = Written(checkpoint);
            // Wait for a save of this process, then kill -9 within the next moments: often in the middle of another save.
            WaitFor(() => process.HasExited || (RunExists() && Written(checkpoint) != before), process);
            Thread.Sleep(random.Next(60));
            if (!process.HasExited && attempt < 6)
            {
                process.Kill();
                kills++;
            }

            process.WaitForExit();
        }

        Assert.True(kills > 0);
        var expected = SafeTensors.Read(folder["whole/checkpoints/last.safetensors"]).Tensors;
        foreach (var (name, tensor) in SafeTensors.Read(folder["killed/checkpoints/last.safetensors"]).Tensors)
        {
            Assert.True(tensor.bytes.SequenceEqual(expected[name].bytes), name);
        }

        bool RunExists() => File.Exists(folder["killed/recipe.yaml"]);
        static DateTime Written(string path) => File.GetLastWriteTimeUtc(path);
    }

    [Fact]
    public void Info_SaysWhatWasFound()
    {
        using var folder = new TemporaryFolder();
        using var info = JsonDocument.Parse(Weaklink.Run(folder.Path, "info", "--json").Output);
        foreach (var key in new[] { "device", "libtorch", "threads", "simd", "privateCopy" })
        {
            Assert.True(info.RootElement.TryGetProperty(key, out _), key);
        }
    }

    [Fact]
    public void DataDescribe_CountsEveryClass()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 10);
        using var described = JsonDocument.Parse(Weaklink.Run(folder.Path, "data", "describe", "pets", "--json").Output);
        Assert.Equal(10, described.RootElement.GetProperty("parts").EnumerateArray().Sum(part => part.GetProperty("classes").GetProperty("dog").GetInt32()));
        Assert.Contains("20 images", Weaklink.Run(folder.Path, "data", "verify", "pets").Output);
        Assert.Contains("20 images are in pets.pack", Weaklink.Run(folder.Path, "data", "pack", "pets", "pets.pack", "--size", "4").Output);
        Assert.Contains("20 images", Weaklink.Run(folder.Path, "data", "verify", "pets.pack").Output);
    }

    private static void WaitFor(Func<bool> condition, Process process)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(3) && (!process.HasExited || condition()), "the command ended or hung");
            Thread.Sleep(5);
        }
    }
}
