using System.Text.Json;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

/// <summary>What the commands write beside and into the data does not become data.</summary>
public class OwnOutputTests
{
    [Fact]
    public void EverythingWrittenIntoTheDataFolder_LeavesTheDataAsTheyAre()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 20, size: 16);
        // The cache lies there, too.
        Run(["train", "--data", ".", .. Weaklink.Quick, "--set", "training.epochs=1", "--set", "evaluation.corruptions=none"]);
        var run = Path.Combine("runs", Path.GetFileName(folder.Path) + "-1");
        Run("attack", run, "--out", "cat/adversarial", "--limit", "8", "--eps", "64/255");
        Run("corrupt", ".", "--out", "corrupted", "--corruptions", "brightness", "--layout", "folders");
        Run("augment", "small", "cat/00.png", "--out", "cat/sheet.png");
        Run("export", run, "--out", "dog/network.onnx");
        Run("subnets", run, "--out", "study", "--limit", "8", "--widths", "0.7", "--count", "1", "--search-updates", "0", "--searches", "1", "--recalibrate", "8", "--corruptions", "none", "--attack", "none");

        using var described = JsonDocument.Parse(Run("data", "describe", ".", "--json").Output);
        Assert.Equal(40, described.RootElement.GetProperty("parts").EnumerateArray().Sum(part => part.GetProperty("images").GetInt32()));
        Assert.All(described.RootElement.GetProperty("parts").EnumerateArray(), part => Assert.Equal(2, part.GetProperty("classes").EnumerateObject().Count()));
        Assert.Equal(1, described.RootElement.GetProperty("passedOver").GetProperty(".onnx").GetInt32());

        // The run's images are still the same, and the corrupted ones are found by name.
        Run("evaluate", run, "--corruptions", "brightness", "--corrupted", "corrupted");
        Assert.Contains("run", Weaklink.Run(folder.Path, "data", "describe", run).Sentence, StringComparison.Ordinal);

        Weaklink.Outcome Run(params string[] arguments)
        {
            var outcome = Weaklink.Run(folder.Path, arguments);
            Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}\n{outcome.Output}\n{outcome.Error}");
            return outcome;
        }
    }
}
