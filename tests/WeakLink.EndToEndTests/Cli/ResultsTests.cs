using WeakLink.Evaluation;
using WeakLink.Runs;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

/// <summary>What a finished run is shown as: the folder's results alone decide.</summary>
public class ResultsTests
{
    [Fact]
    public void UnequalClasses_AreShownWithTheirBaseline_AndFewImagesWithTheirInterval()
    {
        var uneven = new Dictionary<string, ClassAccuracy>
        {
            ["cat"] = new(60, 1, new Dictionary<string, int>()),
            ["dog"] = new(50, 0.1, new Dictionary<string, int> { ["cat"] = 45 }),
        };
        var shown = Shown(With(110, 65.0 / 110, uneven));
        Assert.DoesNotContain("always 'cat'  ", shown, StringComparison.Ordinal);
        Assert.Contains("95 % interval", shown, StringComparison.Ordinal);
        Assert.Contains("49.7% - 67.8%", shown, StringComparison.Ordinal);
        Assert.Contains("no better than always answering 'cat'", shown, StringComparison.Ordinal);
        Assert.Matches(@"dog +50 +100\.0% +10\.0% +18\.2% +cat \(45\)", shown);

        // The confusion matrix, by number.
        Assert.Matches(@"1 cat +60 +0\s", shown);
        Assert.Matches(@"2 dog +45 +5\s", shown);

        uneven["dog"] = uneven["dog"] with { Images = 39, TakenFor = new Dictionary<string, int> { ["cat"] = 34 } };
        shown = Shown(With(99, 65.0 / 99, uneven));
        Assert.Matches(@"95 % interval +always 'cat' +balanced", shown);
        Assert.Matches(@"65\.7% +55\.9% - 74\.3% +60\.6% +56\.4%", shown);

        // Enough images of classes that are alike: the accuracy speaks for itself.
        shown = Shown(With(2000, 0.9, new Dictionary<string, ClassAccuracy> { ["cat"] = new(1000, 0.9, new Dictionary<string, int> { ["dog"] = 100 }), ["dog"] = new(1000, 0.9, new Dictionary<string, int> { ["cat"] = 100 }) }));
        Assert.DoesNotContain("interval", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("always", shown, StringComparison.Ordinal);
    }

    private static Summary With(int images, double top1, IReadOnlyDictionary<string, ClassAccuracy> classes) => new()
    {
        Data = "photos",
        Model = "resnet8",
        Seed = 0,
        Ews = "off",
        Images = images,
        Parameters = 1,
        Epochs = 1,
        Format = "fp32 contiguous",
        Clean = new CleanSummary(top1, 1, 1, 0.1),
        Classes = classes,
        Seconds = new SecondsSummary(1, 1, 1),
    };

    private static string Shown(Summary summary)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(folder["run"]).FullName, "summary.json"), summary.ToJson());
        File.WriteAllText(folder["run/report.html"], "");
        return Weaklink.Run(folder.Path, "train", "--resume", "--out", "run").Output;
    }
}
