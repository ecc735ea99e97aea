using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public sealed class CorruptionEvaluationTests
{
    // By hand, after Hendrycks and Dietterich 2019, section 4.2.
    [Fact]
    public void Means_LeaveTheHeldOutOnesOut_AndDivideByTheReference()
    {
        var metrics = Metrics(("fog", 0.4), ("snow", 0.6), ("speckle_noise", 0.9));
        var reference = new ReferenceErrors("reference", 0.2, new Dictionary<string, double> { ["fog"] = 0.8, ["snow"] = 0.6 });
        Assert.Equal(0.5, CorruptionSummary.Counted(metrics.Error).Average(one => one.Error), 12);
        Assert.Equal(((0.4 / 0.8) + (0.6 / 0.6)) / 2, reference.MeanCorruptionError(metrics)!.Value, 12);
        Assert.Equal((((0.4 - 0.1) / (0.8 - 0.2)) + ((0.6 - 0.1) / (0.6 - 0.2))) / 2, reference.RelativeMeanCorruptionError(metrics, 0.1)!.Value, 12);
        Assert.Null(reference.MeanCorruptionError(Metrics(("contrast", 0.5))));
        Assert.Null(reference.MeanCorruptionError(metrics with { Severities = [2, 4] }));
        Assert.Null(reference.RelativeMeanCorruptionError(metrics with { Severities = [2, 4] }, 0.1));
        Assert.NotNull((reference with { Severities = [2, 4] }).MeanCorruptionError(metrics with { Severities = [2, 4] }));
    }

    [Fact]
    public void AlexNet_IsAsBadAsItself()
    {
        var metrics = Metrics([.. ReferenceErrors.AlexNet.Mean.Select(pair => (pair.Key, pair.Value))]);
        Assert.Equal(15, metrics.Error.Count);
        Assert.Equal(1, ReferenceErrors.AlexNet.MeanCorruptionError(metrics)!.Value, 12);
        Assert.Equal(1, ReferenceErrors.AlexNet.RelativeMeanCorruptionError(metrics, ReferenceErrors.AlexNet.Clean)!.Value, 12);
        Assert.Equal((1, "AlexNet"), (ReferenceErrors.Usual(classes: 1000)!.Relate(metrics, 0.2).Mce!.Value, ReferenceErrors.Usual(classes: 1000)!.Relate(metrics, 0.2).Reference));
        Assert.Null(ReferenceErrors.Usual(classes: 10));
    }

    [Fact]
    public void FolderOfCorruptedImages_IsHeldAgainstTheNetworksOwn()
    {
        using var folder = new TemporaryFolder();
        var known = Small.Data.Known(new SilentObserver());
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "fog", CorruptedImages = folder["c"] } };
        var notes = new Notes();

        Write(Small.Data.Test, folder["c"]);
        Assert.Empty(CorruptionEvaluation.Check(recipe, Small.Data.Test, known.Test, known, notes));
        Assert.Empty(notes.Sentences);

        Write(StratifiedSplit.Limit(Small.Data.Train, 40, 0), folder["c"]);
        var doubts = CorruptionEvaluation.Check(recipe, Small.Data.Test, known.Test, known, notes);
        Assert.StartsWith("40 of the 40 images that", doubts[0], StringComparison.Ordinal);
        Assert.StartsWith("None of the 40 images that", doubts[1], StringComparison.Ordinal);
        Assert.Equal(doubts, notes.Sentences);
        // Nobody knows what an imported network was trained on.
        Assert.Single(CorruptionEvaluation.Check(recipe, Small.Data.Test, known.Test, null, notes));

        File.Delete(folder["c/corruptions.json"]);
        notes.Sentences.Clear();
        Assert.Empty(CorruptionEvaluation.Check(recipe, Small.Data.Test, known.Test, known, notes));
        Assert.Contains("can't be checked", Assert.Single(notes.Sentences), StringComparison.Ordinal);

        Assert.Empty(CorruptionEvaluation.Check(recipe with { Evaluation = recipe.Evaluation with { CorruptedImages = "" } }, Small.Data.Test, known.Test, known, notes));
    }

    // Also where the crop would make them fit: the corruptions were made for another size.
    [Theory]
    [InlineData(32, 24, 0, true)]
    [InlineData(24, 32, 0, false)]
    [InlineData(64, 48, 0, false)]
    [InlineData(16, 16, 16, true)]
    [InlineData(20, 20, 16, false)]
    public void ImagesOfAnotherSize_OrTurned_AreRefused(int width, int height, int crop, bool right)
    {
        using var folder = new TemporaryFolder();
        var test = new MemoryDataset("test", ["a", "b"], 24, 32, [new byte[3 * 24 * 32], new byte[3 * 24 * 32]], [0, 1]);
        Write(new MemoryDataset("c", ["a", "b"], height, width, [new byte[3 * width * height], new byte[3 * width * height]], [0, 1]), folder["c"]);
        var recipe = Small.Recipe with { Augmentation = Small.Recipe.Augmentation with { Crop = crop }, Evaluation = Small.Recipe.Evaluation with { Corruptions = "fog", CorruptedImages = folder["c"] } };
        using var network = recipe.CreateNetwork(2);
        if (right)
        {
            Check();
            Measure();
        }
        else
        {
            Assert.Contains("but the network", Assert.Throws<InputException>(Check).Message, StringComparison.Ordinal);
            // As published folders are.
            File.Delete(folder["c/corruptions.json"]);
            Check();
            Assert.Contains("but the network", Assert.Throws<InputException>(Measure).Message, StringComparison.Ordinal);
        }

        void Check() => CorruptionEvaluation.Check(recipe, test, KnownImages.Of(test, new SilentObserver()), null, new SilentObserver());
        void Measure() => new Evaluator(network, recipe, test, torch.CPU, new SilentObserver()).Corrupted();
    }

    [Fact]
    public void PublishedFolder_WithFewerImagesOfOneSeverity_IsRefused()
    {
        using var folder = new TemporaryFolder();
        for (var severity = 1; severity <= 5; severity++)
        {
            Pictures.WriteClasses(folder[$"c/fog/{severity}"], 3, 32);
        }

        var test = new MemoryDataset("test", ["cat", "dog"], 32, 32, [new byte[3 * 1024], new byte[3 * 1024]], [0, 1]);
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "fog", CorruptedImages = folder["c"] } };
        using var network = recipe.CreateNetwork(2);
        CorruptionSummary Measure() => new Evaluator(network, recipe, test, torch.CPU, new SilentObserver()).Corrupted()!;
        Assert.Equal(6, Measure().Images);
        File.Delete(folder["c/fog/4/cat/01.png"]);
        Assert.Contains("has 5 images of fog 4, but 6 of fog 1", Assert.Throws<InputException>(Measure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reference_OfOtherImages_IsDoubted_AndOfOtherData_Refused()
    {
        using var folder = new TemporaryFolder();
        string? Doubt(string? fingerprint, string? data, string? ofData = "d")
        {
            File.WriteAllText(folder["r.json"], (Comparisons.MadeRuns.Summary(0, 0.5) with { Fingerprint = fingerprint, DataFingerprint = data }).ToJson());
            return Summary.DoubtOfReference(folder["r.json"], "images", "f", ofData);
        }

        Assert.Null(Doubt("f", "other"));
        Assert.Contains("can't be checked", Doubt(null, null), StringComparison.Ordinal);
        Assert.Contains("other test images of the same data", Doubt("g", "d"), StringComparison.Ordinal);
        Assert.Contains("other images", Doubt("g", null), StringComparison.Ordinal);
        Assert.Contains("other images", Doubt("g", "d", null), StringComparison.Ordinal);
        Assert.Contains("other data", Assert.Throws<InputException>(() => Doubt("g", "e")).Message, StringComparison.Ordinal);
    }

    private static void Write(Dataset images, string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, true);
        }

        CorruptionWriter.Write(images, new CorruptionSettings(CommonCorruptions.Named("fog"), [1, 2, 3, 4, 5], CorruptionLayout.Npy, 0), folder, new SilentObserver());
    }

    private static CorruptionSummary Metrics(params (string Name, double Error)[] errors) => new(
        10, "generated", "cifar", Corruption.AllSeverities, 0.5, null, null, null, errors.ToDictionary(error => error.Name, error => (IReadOnlyList<double>)[.. Enumerable.Repeat(error.Error, 5)]), 1, 0);
}
