using System.Diagnostics;
using System.Text.Json;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

public class SubnetsCommandTests
{
    private static readonly string[] Quick = ["--limit", "20", "--count", "2", "--widths", "0.7", "--recalibrate", "16", "--corruptions", "fog"];

    [Fact]
    public void ARun_ItsCheckpoints_AndBadInput()
    {
        using var folder = new TemporaryFolder();
        var trained = Weaklink.Run(folder.Path, ["train", "--out", "run", .. Weaklink.Quick, "--set", "training.epochs=4", "--set", "training.keep-every=1"]);
        Assert.True(trained.ExitCode == 0, trained.Error);

        var measured = Weaklink.Run(folder.Path, ["subnets", "run", "--json", "--search-updates", "2", "--searches", "1", "--attack-steps", "1", "--attack-limit", "5", .. Quick]);
        Assert.True(measured.ExitCode == 0, measured.Error);
        Assert.Equal(File.ReadAllText(folder["run/subnets/subnets.json"]), measured.Output);
        Assert.Contains("<svg", File.ReadAllText(folder["run/subnets/subnets.html"]));
        using (var document = JsonDocument.Parse(measured.Output))
        {
            var (root, model) = (document.RootElement, document.RootElement.GetProperty("models")[0]);
            Assert.Equal(("shapes", 20, 16), (root.GetProperty("data").GetString(), root.GetProperty("images").GetInt32(), root.GetProperty("recalibrated").GetInt32()));
            Assert.Equal(("pgd", "linf", 1, 5), (root.GetProperty("attack").GetProperty("name").GetString(), root.GetProperty("attack").GetProperty("norm").GetString(), root.GetProperty("attack").GetProperty("steps").GetInt32(), root.GetProperty("attack").GetProperty("images").GetInt32()));
            Assert.Equal("run", model.GetProperty("name").GetString());
            foreach (var kind in new[] { "clean", "corrupted", "attacked" })
            {
                Assert.InRange(model.GetProperty("full").GetProperty(kind).GetDouble(), 0, 1);
                Assert.Equal(2, model.GetProperty("widths")[0].GetProperty("proposed").GetProperty(kind).GetProperty("all").GetArrayLength());
            }

            // The weakest that each search came across can be measured as a network is.
            Assert.Equal(["weakest-0.7-policy-1.json", "weakest-0.7-random-1.json", "weakest-0.7-saliency-1.json"], Directory.EnumerateFiles(folder["run/subnets"], "weakest*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
            var weakest = Weaklink.Run(folder.Path, "evaluate", "run", "--subnet", "run/subnets/weakest-0.7-policy-1.json", "--limit", "20", "--json", "--set", "evaluation.corruptions=none", "--set", "evaluation.recalibration-images=16");
            Assert.True(weakest.ExitCode == 0, weakest.Error);
            Assert.Equal(0, Weaklink.Run(folder.Path, "export", "run", "--subnet", "run/weakest-subnet.json", "--out", "weak.onnx", "--set", "evaluation.recalibration-images=16").ExitCode);
        }

        var kept = Weaklink.Run(folder.Path, ["subnets", "run", "--checkpoints", "--out", "kept", "--json", "--attack", "none", "--search-updates", "0", .. Quick]);
        Assert.True(kept.ExitCode == 0, kept.Error);
        using (var document = JsonDocument.Parse(kept.Output))
        {
            Assert.Equal(["run epoch-0001", "run epoch-0002", "run epoch-0003", "run epoch-0004"], document.RootElement.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()!));
            Assert.Equal([1, 2, 3, 4], document.RootElement.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("epoch").GetInt32()));
            Assert.Equal(4, document.RootElement.GetProperty("correlations").GetArrayLength());
            Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("models")[0].GetProperty("full").GetProperty("attacked").ValueKind);
        }

        foreach (var (expected, arguments) in new (string, string[])[]
        {
            ("--widths", ["run", "--widths", "0.5,1.5"]),
            ("--severities", ["run", "--severities", "0-3"]),
            ("--count", ["run", "--count", "0"]),
            ("--limit", ["run", "--limit", "-1"]),
            ("no corruption", ["run", "--corruptions", "fgo"]),
            ("no attack", ["run", "--attack", "pdg"]),
            ("needs --eps", ["run", "--norm", "l2"]),
            ("--attack pgd", ["run", "--attack", "none", "--eps", "8/255"]),
            ("--attack-steps", ["run", "--attack", "fgsm", "--attack-steps", "3"]),
            ("--out DIR", ["run", "run"]),
            ("--out DIR", ["run/checkpoints/best.safetensors"]),
            ("no model", ["absent"]),
            ("has no effect", ["run", "--set", "ews.width=0.5"]),
        })
        {
            Assert.Contains(expected, Weaklink.Run(folder.Path, ["subnets", .. arguments]).Sentence);
        }

        Directory.Delete(folder["run/subnets"], recursive: true);
        File.Delete(folder["run/checkpoints/epoch-0001.safetensors"]);
        File.Delete(folder["run/checkpoints/epoch-0002.safetensors"]);
        File.Delete(folder["run/checkpoints/epoch-0003.safetensors"]);
        File.Delete(folder["run/checkpoints/epoch-0004.safetensors"]);
        Assert.Contains("training.keep-every", Weaklink.Run(folder.Path, "subnets", "run", "--checkpoints").Sentence);
        Assert.False(Directory.Exists(folder["run/subnets"]));

        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        using var process = Weaklink.Start(folder.Path, "subnets", "run", "--search-updates", "100000", "--widths", "0.7");
        while (!Directory.Exists(folder["run/subnets"]) && !process.HasExited)
        {
            Thread.Sleep(50);
        }

        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        Assert.True(process.WaitForExit(60_000));
        Assert.Equal(130, process.ExitCode);
    }
}
