using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;
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
        var usual = ReferenceErrors.Usual(ImageNetClasses.Names, 224, 224)!;
        Assert.Equal((1, "AlexNet"), (usual.Relate(metrics, 0.2).Mce!.Value, usual.Relate(metrics, 0.2).Reference));
        Assert.NotNull(ReferenceErrors.Usual([.. ImageNetClasses.Ids.Reverse()], 160, 120));
        // Other severities, and other classes.
        Assert.Null(ReferenceErrors.Usual(ImageNetClasses.Names, 64, 64));
        Assert.Null(ReferenceErrors.Usual([.. Enumerable.Range(0, 1000).Select(i => $"{i}")], 224, 224));
        Assert.Null(ReferenceErrors.Usual(["cat", "dog"], 224, 224));
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
    public void Limit_HoldsForImagesOfAFolder()
    {
        using var folder = new TemporaryFolder();
        var test = new MemoryDataset("test", ["cat", "dog"], 32, 32, [.. Enumerable.Range(0, 20).Select(i => Enumerable.Repeat((byte)(10 * i), 3 * 1024).ToArray())], [.. Enumerable.Range(0, 20).Select(i => i % 2)]);
        Write(test, folder["c"]);
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "fog", CorruptedImages = folder["c"], Images = 6 } };
        using var network = recipe.CreateNetwork(2);
        var limited = StratifiedSplit.Limit(test, 6, recipe.Seed);
        var read = new Evaluator(network, recipe, limited, torch.CPU, new SilentObserver()).Corrupted()!;
        var made = new Evaluator(network, recipe with { Evaluation = recipe.Evaluation with { CorruptedImages = "" } }, limited, torch.CPU, new SilentObserver()).Corrupted()!;
        Assert.Equal((6, 6), (read.Images, made.Images));
        // The same images.
        Assert.Equal(made.Error["fog"], read.Error["fog"]);
    }

    [Fact]
    public void KeptResults_AreOfTheImagesThatLieInTheFolder_AndOfAllTestImages()
    {
        using var folder = new TemporaryFolder();
        byte[][] images = [.. Enumerable.Range(0, 200).Select(i => Enumerable.Range(0, 3 * 1024).Select(pixel => (byte)((pixel * (i + 1)) >> 3)).ToArray())];
        var test = new MemoryDataset("test", ["cat", "dog"], 32, 32, images, [.. Enumerable.Range(0, 200).Select(i => i % 2)]);
        Write(test, folder["c"]);
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "fog", CorruptedImages = folder["c"], CorruptionImages = 10 } };
        using var network = recipe.CreateNetwork(2);
        Measure(test);
        Assert.Single(Kept());
        Measure(test);
        Assert.Single(Kept());
        // Of the same name and size, written anew.
        File.SetLastWriteTimeUtc(folder["c/fog.npy"], DateTime.UtcNow.AddMinutes(1));
        Measure(test);
        Assert.Equal(2, Kept().Length);
        // One pixel of one image.
        images[3] = [.. images[3][..^1], (byte)(images[3][^1] ^ 1)];
        Measure(new MemoryDataset("test", ["cat", "dog"], 32, 32, images, [.. Enumerable.Range(0, 200).Select(i => i % 2)]));
        Assert.Equal(3, Kept().Length);

        void Measure(Dataset of) => new Evaluator(network, recipe, of, torch.CPU, new SilentObserver()).Keeping(folder["kept"]).Corrupted();
        string[] Kept() => Directory.GetFiles(folder["kept"]);
    }

    [Fact]
    public void Reference_WithoutTheCorruptions_IsRefused_AndOneMeasuredOtherwise_Doubted()
    {
        using var folder = new TemporaryFolder();
        var reference = Comparisons.MadeRuns.Summary(0, 0.5);
        File.WriteAllText(folder["r.json"], reference.ToJson());
        Assert.Equal([1, 2], ReferenceErrors.From(folder["r.json"], CommonCorruptions.Named("fog")).Severities);
        Assert.Contains("no errors under contrast", Assert.Throws<InputException>(() => ReferenceErrors.From(folder["r.json"], CommonCorruptions.Named("fog,contrast"))).Message, StringComparison.Ordinal);

        var measured = reference.Corruptions! with { Mce = 1 };
        Assert.Empty(Doubts(measured));
        Assert.Contains("were 100 images generated with the severities of cifar, these 60 images generated", Assert.Single(Doubts(measured with { Images = 60 })), StringComparison.Ordinal);
        Assert.Contains("these 100 images of a folder", Assert.Single(Doubts(measured with { Table = null, Source = "c" })), StringComparison.Ordinal);
        Assert.Contains("There is no mCE: the reference model was measured in the severities 1, 2, this one in 1, 2, 3, 4, 5.", Assert.Single(Doubts(measured with { Mce = null, Severities = null })), StringComparison.Ordinal);

        IReadOnlyList<string> Doubts(CorruptionSummary its) => Summary.DoubtsOfReference(reference, reference with { Corruptions = its });
    }

    [Fact]
    public void MeansOverAPart_SaySo()
    {
        var all = Comparisons.MadeRuns.Summary(0, 0.5).Corruptions! with { Severities = null, Error = CommonCorruptions.Benchmark.ToDictionary(corruption => corruption.Name, _ => (IReadOnlyList<double>)[0.5, 0.5, 0.5, 0.5, 0.5]) };
        Assert.Null(all.Lacks);
        Assert.StartsWith("These means are over severities 1, 3 only: they can't", (all with { Severities = [1, 3] }).Lacks, StringComparison.Ordinal);
        Assert.StartsWith("These means are over 2 of the 15 common corruptions only:", Of("fog", "contrast").Lacks, StringComparison.Ordinal);
        Assert.StartsWith("These means are over 1 of the 15 common corruptions only:", Of("fog", "spatter").Lacks, StringComparison.Ordinal);
        Assert.StartsWith("These means are over corruptions that are none of the benchmark's and over severities 2 only:", (Of("spatter") with { Severities = [2] }).Lacks, StringComparison.Ordinal);

        CorruptionSummary Of(params string[] names) => all with { Error = names.ToDictionary(name => name, _ => (IReadOnlyList<double>)[0.5]) };
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
