using System.Text.Json;
using System.Text.RegularExpressions;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Cli;

public class PredictCommandTests
{
    // Pictures of a microscope: all is in the green channel, the others are black in training. One grey level there, or the noise of JPEG, must not
    // outweigh it.
    [Fact]
    public void AStrayLevelInADeadChannel_ChangesNoClass()
    {
        using var folder = new TemporaryFolder();
        var random = new SeededRandom(3, RandomUse.Augmentation);
        foreach (var (name, brightness) in ((string, int)[])[("healthy", 60), ("infected", 140)])
        {
            for (var i = 0; i < 40; i++)
            {
                var planes = new byte[3 * 256];
                for (var pixel = 256; pixel < 512; pixel++)
                {
                    planes[pixel] = (byte)(brightness + random.Next(81) - 40);
                }

                Pictures.Write(folder[$"black/{name}/{i}.png"], planes, 16, 16);
                Pictures.Write(folder[$"jpeg/{name}/{i}.jpg"], planes, 16, 16);
                planes.AsSpan(0, 256).Fill(1);
                planes.AsSpan(512).Fill(1);
                Pictures.Write(folder[$"one/{name}/{i}.png"], planes, 16, 16);
            }
        }

        var trained = Weaklink.Run(
            folder.Path,
            [
                "train", "--data", "black", "--out", "run", .. Weaklink.Quick, "--set", "model.name=resnet8", "--set", "ews.search=off", "--set", "training.epochs=12",
                "--set", "evaluation.subnets=0", "--set", "evaluation.corruptions=none",
            ]);
        Assert.True(trained.ExitCode == 0, trained.Error);
        using var predicted = JsonDocument.Parse(Weaklink.Run(folder.Path, "predict", "run", "black", "jpeg", "one", "--json").Output);
        Assert.Equal(240, predicted.RootElement.GetArrayLength());
        Assert.All(predicted.RootElement.EnumerateArray(), prediction =>
            Assert.Equal(Path.GetFileName(Path.GetDirectoryName(prediction.GetProperty("file").GetString())), prediction.GetProperty("class").GetString()));
    }

    [Fact]
    public void ListsAndStandardInputAndFolders_GiveTheSame()
    {
        using var folder = new TemporaryFolder();
        var files = Pictures.WriteEveryKind(folder["pets"], 32, 32).Select(file => $"pets/{Path.GetFileName(file)}").Order(StringComparer.Ordinal).ToList();
        var run = Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 32, ["cat", "dog, \"small\""]);
        File.WriteAllText(folder["list.txt"], string.Join("\r\n", files) + "\n\n");
        var listed = Weaklink.Run(folder.Path, "predict", run, "--list", "list.txt", "--csv");
        Assert.True(listed.ExitCode == 0, listed.Error);
        Assert.Equal(listed.Output, Weaklink.Run(folder.Path, ["predict", run, .. files, "--csv"]).Output);
        var lines = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("file,class,confidence", lines[0]);
        Assert.Equal(files.Count, lines.Length - 1);
        Assert.All(lines.Skip(1).Zip(files), pair => Assert.Matches($"^{Regex.Escape(pair.Second)},(cat|\"dog, \"\"small\"\"\"),[01]\\.\\d{{4}}$", pair.First));

        Assert.Equal(listed.Output, Weaklink.RunWith(folder.Path, File.ReadAllBytes(folder["list.txt"]), "predict", run, "--list", "-", "--csv").Output);
        var one = Weaklink.RunWith(folder.Path, File.ReadAllBytes(folder[files[0]]), "predict", run, "-", "--csv");
        Assert.Equal($"{lines[0]}\n{lines[1].Replace(files[0], "-", StringComparison.Ordinal)}\n", one.Output);
    }

    [Fact]
    public void WhatMakesNoSense_IsOneSentence()
    {
        using var folder = new TemporaryFolder();
        var run = Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 32, ["cat", "dog"]);
        File.WriteAllText(folder["empty.txt"], "\n");
        File.WriteAllText(folder["list.txt"], "gone.png\n");
        Assert.Contains("nothing to classify", Weaklink.Run(folder.Path, "predict", run).Sentence, StringComparison.Ordinal);
        Assert.Contains("'empty.txt' is empty", Weaklink.Run(folder.Path, "predict", run, "--list", "empty.txt").Sentence, StringComparison.Ordinal);
        Assert.Contains("no image at 'gone.png'", Weaklink.Run(folder.Path, "predict", run, "--list", "list.txt").Sentence, StringComparison.Ordinal);
        Assert.Contains("no list at 'nowhere.txt'", Weaklink.Run(folder.Path, "predict", run, "--list", "nowhere.txt").Sentence, StringComparison.Ordinal);
        Assert.Contains("name - once", Weaklink.Run(folder.Path, "predict", run, "-", "--list", "-").Sentence, StringComparison.Ordinal);
        Assert.Contains("choose one", Weaklink.Run(folder.Path, "predict", run, "a.png", "--csv", "--json").Sentence, StringComparison.Ordinal);
        Assert.Contains("'-' is not a readable image", Weaklink.RunWith(folder.Path, [], "predict", run, "-").Sentence, StringComparison.Ordinal);
    }
}
