using System.Text.Json;
using WeakLink.Tests.Data;

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
}
