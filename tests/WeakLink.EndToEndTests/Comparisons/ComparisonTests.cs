using System.Text.Json;
using WeakLink.Comparisons;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Sources;
using WeakLink.Subnets;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Comparisons;

public class ComparisonTests
{
    private static readonly ComparedArm Plain = new("plain", [MadeRuns.Run(0, 0.70), MadeRuns.Run(1, 0.72), MadeRuns.Run(2, 0.71)]);
    private static readonly ComparedArm Clearly = new("clearly", [MadeRuns.Run(0, 0.80, trainSeconds: 120), MadeRuns.Run(1, 0.82, trainSeconds: 120), MadeRuns.Run(2, 0.81, trainSeconds: 120)]);
    private static readonly ComparedArm Hardly = new("hardly", [MadeRuns.Run(0, 0.72, step: 40), MadeRuns.Run(1, 0.70, step: 40), MadeRuns.Run(2, 0.74, step: 40)]);

    [Fact]
    public void Findings_SayWhatTheIntervalsSay()
    {
        var findings = Comparison.Of([Plain, Clearly, Hardly]).Findings();
        Assert.Equal(
            [
                "clearly against plain, paired over seeds 0, 1, 2: better in clean top-1, NLL, corrupted accuracy; not told apart (the interval includes 0) in ECE.",
                "hardly against plain, paired over seeds 0, 1, 2: not told apart (the interval includes 0) in clean top-1, NLL, ECE, corrupted accuracy.",
            ],
            findings);
        Assert.Contains("worse in clean top-1", Comparison.Of([Plain, Clearly], "clearly").Findings()[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_SayWhereBudgetsDiffer()
    {
        var notes = string.Join('\n', Comparison.Of([Plain, Clearly, Hardly]).Notes());
        Assert.Contains("clearly took 2.00 times the training compute of plain (2.00 and 1.00 core minutes).", notes, StringComparison.Ordinal);
        Assert.Contains("hardly saw 5,120 images in training, plain 2,560, at equal compute (1.00 and 1.00 core minutes).", notes, StringComparison.Ordinal);
        Assert.Contains("and took 0.50 times its training compute", Comparison.Of([Clearly, Hardly]).Notes()[0], StringComparison.Ordinal);
        Assert.Empty(Comparison.Of([Plain, new("same", Plain.Runs)]).Notes());
    }

    [Fact]
    public void Noises_AndOtherCorruptions_AreComparedApart_WhereBothWereMeasured()
    {
        var errors = new Dictionary<string, IReadOnlyList<double>> { ["shot_noise"] = [0.5, 0.7], ["gaussian_noise"] = [0.2, 0.4], ["fog"] = [0.1, 0.3], ["speckle_noise"] = [1, 1] };
        var summary = Plain.Runs[0].Summary;
        var measured = summary with { Corruptions = summary.Corruptions! with { Error = errors } };
        // Means of 0.4 and 0.7; speckle noise is not of the benchmark.
        Assert.Equal((0.55, 0.8), (Math.Round(Metric.Noises.Value(measured)!.Value, 12), Math.Round(Metric.OtherCorruptions.Value(measured)!.Value, 12)));
        Assert.Equal(((double?)null, (double?)null), (Metric.Noises.Value(summary), Metric.OtherCorruptions.Value(summary)));
        Assert.Contains("under noises, %", Metric.Of([measured]).Select(metric => metric.Title));
    }

    [Fact]
    public void HowArmsWereChosen_IsTheFirstNote() =>
        Assert.Equal("a was chosen", Comparison.Of([Plain, Clearly], choices: ["a was chosen"]).Notes()[0]);

    [Fact]
    public void OneSeed_IsSaidToTellNothing()
    {
        var comparison = Comparison.Of([new("a", [Plain.Runs[0]]), new("b", [Clearly.Runs[0]])]);
        Assert.Empty(comparison.Findings());
        Assert.Contains("One seed can't tell", comparison.Notes()[0], StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasMeasuredInAnotherWay_IsNamed()
    {
        var run = Plain.Runs[0];
        var other = run with { Summary = run.Summary with { Images = 50, Format = "bf16 channels-last" }, Recipe = run.Recipe with { Data = run.Recipe.Data with { Source = "/data/photos/" } } };
        var notes = string.Join('\n', Comparison.Of([new("a", [run]), new("b", [other])]).Notes());
        foreach (var expected in new[] { "(a: shapes; b: photos)", "(a: 100; b: 50)", "(a: fp32 contiguous; b: bf16 channels-last)" })
        {
            Assert.Contains(expected, notes, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OtherCorruptions_Statistics_AndWeights_AreNamed()
    {
        var run = Plain.Runs[0];
        var errors = new Dictionary<string, IReadOnlyList<double>> { ["frost"] = [0.5, 0.7] };
        ComparedRun Of(CorruptionSummary corruptions, int recalibrated, string checksum) => run with
        {
            Summary = run.Summary with { Corruptions = corruptions, Subnets = new SubnetSummary(0.7, 100, recalibrated, 0.8, new SpreadSummary(0.5, 0.3, 4), new SpreadSummary(0.5, 0.4, 4)) },
            Recipe = run.Recipe with { Model = run.Recipe.Model with { Weights = "/a/net.safetensors", WeightsChecksum = checksum } },
        };

        var measured = run.Summary.Corruptions!;
        var one = Of(measured, 64, "0123456789");
        var notes = string.Join('\n', Comparison.Of([new("a", [one]), new("b", [Of(measured with { Error = errors }, 0, "abcdefghij")])]).Notes());
        foreach (var expected in new[] { "(a: net.safetensors 01234567; b: net.safetensors abcdefgh)", "1 corruptions (fog among them) in severities 1, 2, cifar; b: 100 images of 1 corruptions (frost among them)", "statistics of 64 images; b:", "the full network's statistics" })
        {
            Assert.Contains(expected, notes, StringComparison.Ordinal);
        }

        Assert.Contains("severities 1, 2, cifar; b: 100 images of 1 corruptions in severities 5", string.Join('\n', Comparison.Of([new("a", [one]), new("b", [Of(measured with { Severities = [5] }, 64, "0123456789")])]).Notes()), StringComparison.Ordinal);
        Assert.DoesNotContain("different ways", string.Join('\n', Comparison.Of([new("a", [one]), new("b", [one])]).Notes()), StringComparison.Ordinal);
        // Arms that are alike are named together.
        Assert.Contains("(a, c: 100 images of 1 corruptions", string.Join('\n', Comparison.Of([new("a", [one]), new("b", [Of(measured with { Severities = [5] }, 64, "0123456789")]), new("c", [one])]).Notes()), StringComparison.Ordinal);
        // A random one that is weaker than all that were searched for.
        Assert.Equal(0.3, Metric.WeakestSubnet.Value(one.Summary));
    }

    [Fact]
    public void OfSeveralArms_TheHardestConditionIsTheHeadline()
    {
        var errors = new Dictionary<string, IReadOnlyList<double>> { ["shot_noise"] = [0.5], ["fog"] = [0.1] };
        ComparedArm Measured(ComparedArm arm) => arm with { Runs = [.. arm.Runs.Select(run => run with { Summary = run.Summary with { Corruptions = run.Summary.Corruptions! with { Error = errors } } })] };
        var page = ComparisonReport.CreatePage(Comparison.Of([Measured(Plain), Measured(Clearly), Measured(Hardly)]), "weaklink compare").ToHtml();
        Assert.Contains("clearly: corrupted accuracy</dt>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("clearly: under other corruptions</dt>", page, StringComparison.Ordinal);
        // What the baseline lacks is no difference.
        Assert.Contains("clearly: clean top-1</dt>", ComparisonReport.CreatePage(Comparison.Of([WithoutCorruptions(Plain), Measured(Clearly), Measured(Hardly)]), "weaklink compare").ToHtml(), StringComparison.Ordinal);

        static ComparedArm WithoutCorruptions(ComparedArm arm) => arm with { Runs = [.. arm.Runs.Select(run => run with { Summary = run.Summary with { Corruptions = null } })] };
    }

    [Fact]
    public void ImagesSeen_CountThoseThatThereWere()
    {
        // A batch of 128 that the data set fills with 50 images.
        var run = Plain.Runs[0] with { Epochs = [.. Enumerable.Range(1, 3).Select(epoch => new EpochMetrics(epoch, epoch, 0.1, 1, null, 0.5, 0.5, 1, null, 2, 25, 0))] };
        Assert.Equal((50, 100, 150, (long?)150), (run.ImagesSeenBy(1), run.ImagesSeenBy(2), run.ImagesSeenBy(3), run.ImagesSeen));
    }

    [Fact]
    public void Data_AreToldApartByContent()
    {
        ComparedRun Of(long seed, string data, string test, string source = "/a/photos", int limit = 0) => MadeRuns.Run(seed, 0.5, new Recipe { Data = new DataRecipe { Source = source, Limit = limit } }) is var run
            ? run with { Summary = run.Summary with { DataFingerprint = data.PadRight(32, '0'), Fingerprint = test } } : null!;
        string Notes(ComparedRun[] a, ComparedRun[] b) => string.Join('\n', Comparison.Of([new("a", a), new("b", b)]).Notes());

        // One name, other images; and one content under two names.
        Assert.Contains("The data differ (a: photos, images d0000000; b: photos, images e0000000)", Notes([Of(0, "d", "t")], [Of(0, "e", "u", "/b/photos")]), StringComparison.Ordinal);
        Assert.DoesNotContain("differ (", Notes([Of(0, "d", "t")], [Of(0, "d", "t", "/b/copy")]), StringComparison.Ordinal);
        // Images that changed between the runs of an arm.
        Assert.Contains("(a: photos, images d0000000 or photos, images e0000000; b: photos, images d0000000)", Notes([Of(0, "d", "t"), Of(1, "e", "u")], [Of(0, "d", "t")]), StringComparison.Ordinal);
        // Every seed holds out, and limits to, its own.
        Assert.DoesNotContain("differ (", Notes([Of(0, "d", "t", limit: 9), Of(1, "e", "u", limit: 9)], [Of(0, "d", "t", limit: 9), Of(1, "e", "u", limit: 9)]), StringComparison.Ordinal);
        // With a limit, runs of different seeds say nothing of each other.
        Assert.Contains("Whether b and a are of the same data can't be checked", Notes([Of(0, "d", "t", limit: 9)], [Of(1, "e", "u", limit: 9)]), StringComparison.Ordinal);
        Assert.Contains("can't be checked", Notes([Of(0, "d", "t", limit: 9)], [Of(0, "e", "t", limit: 8)]), StringComparison.Ordinal);
        Assert.Contains("can't be checked", Notes([Of(0, "d", "t")], [Of(0, "e", "t", limit: 8)]), StringComparison.Ordinal);
        Assert.DoesNotContain("can't be checked", Notes([Of(0, "d", "t", limit: 9), Of(1, "e", "u", limit: 9)], [Of(1, "e", "u", limit: 9), Of(2, "f", "v", limit: 9)]), StringComparison.Ordinal);
        Assert.Contains("Test images differ (seed 1: as many, but not the same)", Notes([Of(0, "d", "t"), Of(1, "d", "u")], [Of(0, "d", "t"), Of(1, "d", "v")]), StringComparison.Ordinal);
        Assert.Contains("can't be checked", Notes([Of(0, "d", "t")], [MadeRuns.Run(0, 0.5, new Recipe { Data = new DataRecipe { Source = "/c/photos" } })]), StringComparison.Ordinal);
    }

    [Fact]
    public void Warnings_OfTheRuns_AreSaidOfTheComparison()
    {
        var run = Plain.Runs[1];
        var doubtful = run with { Summary = run.Summary with { Warnings = ["3 of the 100 test images ..."] } };
        var other = doubtful with { Summary = doubtful.Summary with { Seed = 2 } };
        Assert.Contains("b, seed 1, 2; c, seed 2: 3 of the 100 test images ...", Comparison.Of([Plain, new("b", [doubtful, other]), new("c", [other])]).Notes());
    }

    [Fact]
    public void SeedsThatAreNotShared_AreNamed() =>
        Assert.Contains("seed 2 of plain", Comparison.Of([Plain, new("b", [.. Clearly.Runs.Take(2)])]).Notes()[0], StringComparison.Ordinal);

    [Fact]
    public void Names_AreChecked()
    {
        Assert.Contains("'plain', 'clearly'", Assert.Throws<InputException>(() => Comparison.Of([Plain, Clearly], "plane")).Message, StringComparison.Ordinal);
        Assert.Contains("Two arms", Assert.Throws<InputException>(() => Comparison.Of([Plain, Plain])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_HoldsMeansDifferencesAndRuns()
    {
        using var document = JsonDocument.Parse(Comparison.Of([Plain, Clearly]).ToJson("weaklink compare"));
        var root = document.RootElement;
        Assert.Equal("plain", root.GetProperty("baseline").GetString());
        var arm = root.GetProperty("arms")[1];
        Assert.Equal(0.81, arm.GetProperty("metrics").GetProperty("clean.top1").GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(2, arm.GetProperty("computeRatio").GetDouble(), 1e-12);
        Assert.Equal(0.72, arm.GetProperty("runs")[1].GetProperty("metrics").GetProperty("corruptions.accuracy.fog").GetDouble(), 1e-12);
        var difference = root.GetProperty("differences").EnumerateArray().Single(one => one.GetProperty("metric").GetString() == "clean.top1");
        Assert.Equal(("clearly", "paired", false), (difference.GetProperty("arm").GetString(), difference.GetProperty("method").GetString(), difference.GetProperty("includesZero").GetBoolean()));
        Assert.InRange(difference.GetProperty("low").GetDouble(), 0.09, 0.1);
    }

    [Fact]
    public void Page_HasEveryPart()
    {
        using var folder = new TemporaryFolder();
        var recipe = new Recipe { Ews = new EwsRecipe { Search = SearchKind.Off } };
        ComparisonReport.Write(Comparison.Of([Plain, new("<off>", [.. Clearly.Runs.Select(run => run with { Recipe = recipe with { Seed = run.Seed } })])]), folder["new"], "weaklink compare 'a b'");
        var page = File.ReadAllText(folder["new/report.html"]);
        foreach (var expected in new[] { "&lt;off&gt; against plain", "+10.0 [10.0, 10.0], better", "Every run", "Learning curves", "fog", "ews.search", "2.00<small>of plain", "weaklink compare &#39;a b&#39;" })
        {
            Assert.Contains(expected, page, StringComparison.Ordinal);
        }

        Assert.Equal(4, page.Split("<figure>").Length);
        Assert.DoesNotContain("<off>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["new/comparison.json"]));
    }

    // One arm, one seed, nothing optional measured: nothing may be missing that the page counts on.
    [Fact]
    public void Page_OfLittle_IsStillAPage()
    {
        var run = Plain.Runs[0];
        var bare = run with { Summary = run.Summary with { Corruptions = null }, Epochs = [] };
        Assert.Contains("mean of 1 seed<", ComparisonReport.CreatePage(Comparison.Of([new("a", [bare])]), "").ToHtml(), StringComparison.Ordinal);
        Assert.Contains("points, one seed", ComparisonReport.CreatePage(Comparison.Of([new("a", [bare]), new("b", [bare])]), "").ToHtml(), StringComparison.Ordinal);
    }
}
