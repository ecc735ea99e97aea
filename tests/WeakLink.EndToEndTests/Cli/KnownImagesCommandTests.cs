using System.Text.Json;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

/// <summary>What the commands say of images that they know.</summary>
public class KnownImagesCommandTests
{
    private static readonly string[] Quickest = [.. Weaklink.Quick, "--ews", "off", "--set", "model.name=resnet8", "--set", "training.epochs=1", "--set", "evaluation.subnets=0", "--set", "evaluation.corruptions=none"];

    [Fact]
    public void Measured_OnWhatItWasTrainedOn_WhateverTheFolderAndTheSeed()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 20, 16);
        Weaklink.Run(folder.Path, ["train", "--data", "pets", "--out", "run", "--seed", "1", .. Quickest]);
        using (var own = Summary("evaluate", "run", "--json"))
        {
            Assert.Empty(own.RootElement.GetProperty("warnings").EnumerateArray());
            using var trained = JsonDocument.Parse(File.ReadAllText(folder["run/summary.json"]));
            foreach (var key in new[] { "fingerprint", "dataFingerprint" })
            {
                Assert.Equal(trained.RootElement.GetProperty(key).GetString(), own.RootElement.GetProperty(key).GetString());
            }
        }

        // Another name for every file and folder, with one image more.
        Pictures.WriteClasses(folder["copy/all"], 20, 16);
        for (var i = 0; i < 20; i++)
        {
            File.Move(folder[$"copy/all/cat/{i:00}.png"], folder[$"copy/all/cat/{40 - i:00} of mine.png"]);
        }

        Pictures.Write(folder["copy/all/dog/new.png"], SkiaSharp.SKColors.White, 16, 16);
        using (var copied = Summary("evaluate", "run", "--data", "copy/all", "--json"))
        {
            Assert.Matches("^[1-9] of the 8 test images (is|are) among those that the network is trained on", copied.RootElement.GetProperty("warnings")[0].GetString());
        }

        var shown = Weaklink.Run(folder.Path, "evaluate", "run", "--data", "copy/all").Output;
        Assert.Matches("Warning: [1-9] of the 8 test images", shown);
        Assert.Matches("[1-9] of the 8 test images", Weaklink.Run(folder.Path, "attack", "run", "--data", "copy/all", "--out", "examples").Output);
        Assert.Matches("\"warnings\": \\[\\s*\"[1-9] of the 8", File.ReadAllText(folder["examples/attack.json"]));
        Assert.Matches("Warning: [1-9] of the 8 test images", Weaklink.Run(folder.Path, "subnets", "run", "--data", "copy/all", "--out", "subnets", "--count", "1", "--widths", "0.7", "--search-updates", "0", "--corruptions", "none", "--attack", "none", "--recalibrate", "0").Output);
        Assert.Contains("of the 8 test images", File.ReadAllText(folder["subnets/subnets.html"]), StringComparison.Ordinal);

        // The set that seed 0 holds out is not that of the run; the run's own is.
        Weaklink.Run(folder.Path, "corrupt", "pets", "--out", "c0", "--corruptions", "fog");
        using (var others = Summary("evaluate", "run", "--corruptions", "fog", "--corrupted", "c0", "--json"))
        {
            Assert.Matches("^[1-9] of the 8 images that 'c0' was made of", others.RootElement.GetProperty("warnings")[0].GetString());
        }

        Assert.Equal(0, Weaklink.Run(folder.Path, "corrupt", "run", "--out", "c1", "--corruptions", "fog").ExitCode);
        using var read = Summary("evaluate", "run", "--corruptions", "fog", "--corrupted", "c1", "--json");
        using var made = Summary("evaluate", "run", "--corruptions", "fog", "--json");
        Assert.Empty(read.RootElement.GetProperty("warnings").EnumerateArray());
        Assert.Equal(made.RootElement.GetProperty("corruptions").GetProperty("error").ToString(), read.RootElement.GetProperty("corruptions").GetProperty("error").ToString());

        JsonDocument Summary(params string[] arguments)
        {
            var result = Weaklink.Run(folder.Path, arguments);
            Assert.True(result.ExitCode == 0, result.Error);
            return JsonDocument.Parse(result.Output);
        }
    }

    [Fact]
    public void TestFolder_ThatIsTheTrainingFolder_IsSaidWhenTrainingStarts_AndInTheResults()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["same/train"], 10, 16);
        Pictures.WriteClasses(folder["same/test"], 10, 16);
        var output = Weaklink.Run(folder.Path, ["train", "--data", "same", "--out", "run", .. Quickest]).Output;
        Assert.True(output.IndexOf("18 of the 20 test images are among those that the network is trained on", StringComparison.Ordinal) < output.IndexOf("run folder", StringComparison.Ordinal), output);
        Assert.Contains("Warning: 18 of the 20 test images", output, StringComparison.Ordinal);
        Assert.Contains("18 of the 20 test images", File.ReadAllText(folder["run/report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void TurnedImages_OrOnesOfAnotherScale_AreRefused_AsPredictDoes()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, width, height) in new[] { ("wide", 20, 16), ("high", 16, 20) })
        {
            for (var i = 0; i < 10; i++)
            {
                Pictures.Write(folder[$"{name}/cat/{i}.png"], new SkiaSharp.SKColor(200, (byte)(i * 5), 0), width, height);
                Pictures.Write(folder[$"{name}/dog/{i}.png"], new SkiaSharp.SKColor(0, (byte)(i * 5), 200), width, height);
            }
        }

        Assert.Equal(0, Weaklink.Run(folder.Path, ["train", "--data", "wide", "--out", "run", .. Quickest]).ExitCode);
        Assert.Contains("takes 20x16", Weaklink.Run(folder.Path, "predict", "run", "high/cat/0.png").Sentence, StringComparison.Ordinal);
        Assert.Contains("takes 20x16: turn them", Weaklink.Run(folder.Path, "evaluate", "run", "--data", "high").Sentence, StringComparison.Ordinal);
        Assert.Contains("takes 20x16", Weaklink.Run(folder.Path, "evaluate", "run", "--set", "data.size=16").Sentence, StringComparison.Ordinal);
    }
}
