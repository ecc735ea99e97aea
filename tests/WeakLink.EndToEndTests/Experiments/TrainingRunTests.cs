using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Experiments;
using WeakLink.Imaging;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Subnets;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Experiments;

public class TrainingRunTests
{
    [Theory]
    [InlineData(SearchKind.Policy, 2)]
    [InlineData(SearchKind.Policy, 9)]
    [InlineData(SearchKind.Off, 7)]
    public void StoppedAndResumedRun_EndsWithTheBitsOfAnUninterruptedOne(SearchKind search, int stopAfter)
    {
        var recipe = Small.Recipe with { Ews = Small.Recipe.Ews with { Search = search } };
        using var whole = new TemporaryFolder();
        Small.Train(whole["run"], recipe);

        using var parts = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Small.Train(parts["run"], recipe, new StopAfter(stop, stopAfter), stop: stop.Token));
        Small.Train(parts["run"], recipe);

        AssertSame(Small.Last(whole["run"]), Small.Last(parts["run"]));
        AssertSameMetrics(whole["run"], parts["run"]);
    }

    [Theory]
    [InlineData("ews.view=augmix", "ews.fraction=0.5")]
    [InlineData("ews.view=adversarial", "objective.steps=1")]
    [InlineData("training.optimiser=adamw", "training.learning-rate=0.01", "training.average=0.9", "training.decay-norms=false")]
    [InlineData("ews.every=2", "ews.start=0.2", "ews.warmup=0.5", "ews.teacher=average", "training.average=0.9")]
    [InlineData("training.class-balance=sampling", "ews.search=off")]
    [InlineData("training.class-balance=weights", "training.average=0.5", "ews.search=random")]
    public void EveryWayOfTraining_IsResumedToTheBit_WithAnyNumberOfWorkers(params string[] settings)
    {
        var recipe = Small.Recipe.With(settings);
        using var whole = new TemporaryFolder();
        Small.Train(whole["run"], recipe);
        using var parts = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var other = recipe.With("training.workers=1");
        Assert.Throws<OperationCanceledException>(() => Small.Train(parts["run"], other, new StopAfter(stop, 8), stop: stop.Token));
        Small.Train(parts["run"], other);
        AssertSame(Small.Last(whole["run"]), Small.Last(parts["run"]));
        AssertSameMetrics(whole["run"], parts["run"]);

        using var plain = new TemporaryFolder();
        Small.Train(plain["run"]);
        Assert.False(Small.Last(whole["run"])["fc.weight"].allclose(Small.Last(plain["run"])["fc.weight"]));
    }

    [Fact]
    public void TheAverage_IsWhatIsKept_AndTheWeightsGoOnFromThemselves()
    {
        using var folder = new TemporaryFolder();
        var recipe = Small.Recipe.With("training.epochs=1", "ews.search=off");
        Small.Train(folder["plain"], recipe);
        Small.Train(folder["averaged"], recipe.With("training.average=0.9"));
        var (plain, averaged) = (Small.Last(folder["plain"]), Small.Last(folder["averaged"]));
        Assert.All(plain.Where(pair => !pair.Key.StartsWith("optimizer.", StringComparison.Ordinal)), pair => Assert.True(pair.Value.bytes.SequenceEqual(averaged["unaveraged." + pair.Key].bytes), pair.Key));
        Assert.False(averaged["fc.weight"].allclose(plain["fc.weight"]));
        var best = WeakLink.Files.SafeTensors.Read(folder["averaged/checkpoints/best.safetensors"]).Tensors;
        Assert.Equal(plain.Keys.Where(name => !name.StartsWith("optimizer.", StringComparison.Ordinal)).Order(), best.Keys.Order());
        Assert.All(best, pair => Assert.True(pair.Value.bytes.SequenceEqual(averaged[pair.Key].bytes), pair.Key));
        using var network = recipe.CreateNetwork(10);
        using var last = Checkpoint.Load(folder["averaged/checkpoints/last.safetensors"]);
        last.RestoreNetwork(network);
        Assert.True(network.get_parameter("fc.weight")!.equal(averaged["fc.weight"]).all().item<bool>());
    }

    [Fact]
    public void Patience_EndsARunThatGetsNoBetter_AlsoAfterAStop()
    {
        using var folder = new TemporaryFolder();
        // Steps so long that nothing is learnt.
        var recipe = Small.Recipe.With("training.epochs=30", "training.learning-rate=3", "training.schedule=step", "training.patience=2", "ews.search=off");
        // Ten of a class, so that they choose.
        var data = Small.Data with { Validation = new SubsetDataset(Small.Data.Train, [.. Enumerable.Range(0, 100).Select(i => i % Small.Data.Train.Count)]) };
        var position = Small.Train(folder["run"], recipe, data: data);
        Assert.InRange(position.Epoch, 3, 29);
        Assert.Equal(position.BestEpoch + 2, position.Epoch);
        Assert.Equal(position.Epoch, File.ReadLines(folder["run/metrics.jsonl"]).Count());
        Assert.Equal(position, Small.Train(folder["run"], recipe, data: data));
        using var last = Checkpoint.Load(folder["run/checkpoints/last.safetensors"]);
        Assert.Equal(position.Epoch, last.Position.Epoch);
    }

    [Fact]
    public void TheBestCheckpoint_IsTheMostAccurate_AndAmongEqualsTheLikeliest()
    {
        Assert.True(new RunPosition().IsBeatenBy(0, 5));
        var best = new RunPosition { BestTop1 = 0.5, BestNll = 1 };
        Assert.True(best.IsBeatenBy(0.6, 2));
        Assert.True(best.IsBeatenBy(0.5, 0.9));
        Assert.False(best.IsBeatenBy(0.5, 1));
        Assert.False(best.IsBeatenBy(0.4, 0.1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(99)]
    [InlineData(100)]
    public void TooFewValidationImages_ChooseNothing_AndTheLastWeightsAreKept(int images)
    {
        // Of ten classes: ten of a class choose.
        var validation = new SubsetDataset(Small.Data.Train, [.. Enumerable.Range(0, images).Select(i => i % Small.Data.Train.Count)]);
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Train(new StopAfter(stop, 9), stop.Token));
        Assert.Equal(images == 100, File.Exists(folder["run/checkpoints/best.safetensors"]));
        var position = Train(new SilentObserver(), CancellationToken.None);

        var epochs = RunFolder.EpochsOf(folder["run"]);
        Assert.All(epochs, epoch => Assert.Equal(images > 0, epoch.ValidationTop1 is not null));
        var best = images < 100 ? epochs[^1] : epochs.OrderByDescending(epoch => epoch.ValidationTop1).ThenBy(epoch => epoch.ValidationNll).First();
        Assert.Equal((best.Epoch, best.ValidationTop1 ?? -1), (position.BestEpoch, position.BestTop1));
        using var kept = Checkpoint.Load(folder["run/checkpoints/best.safetensors"]);
        Assert.Equal(best.Epoch, kept.Position.Epoch);

        RunPosition Train(IRunObserver observer, CancellationToken token)
        {
            using var run = RunFolder.Open(folder["run"], Small.Recipe, Small.Data.Train.Classes, new ImageSize(32, 32), new { }, resume: true);
            return TrainingRun.Train(Small.Recipe, Small.Data with { Validation = validation }, run, torch.CPU, observer, stop: token);
        }
    }

    [Fact]
    public void Dropout_IsResumedTooToTheBit()
    {
        var recipe = Small.Recipe with { Model = Small.Recipe.Model with { Name = "wide-resnet-10-1", Dropout = 0.3 } };
        using var whole = new TemporaryFolder();
        Small.Train(whole["run"], recipe);
        using var parts = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Small.Train(parts["run"], recipe, new StopAfter(stop, 4), stop: stop.Token));
        Small.Train(parts["run"], recipe);
        AssertSame(Small.Last(whole["run"]), Small.Last(parts["run"]));
    }

    [Fact]
    public void CrashBetweenTwoSaves_ResumesFromTheLastOne()
    {
        using var whole = new TemporaryFolder();
        Small.Train(whole["run"]);
        using var crashed = new TemporaryFolder();
        Assert.Throws<InvalidTimeZoneException>(() => Small.Train(crashed["run"], observer: new CrashAfter(10)));
        // What a kill in the middle of a save and of a line leaves behind.
        File.WriteAllText(crashed["run/checkpoints/last.safetensors.123.partial"], "half");
        File.AppendAllText(crashed["run/metrics.jsonl"], "{\"epoch\": 2, \"lo");
        Small.Train(crashed["run"]);

        AssertSame(Small.Last(whole["run"]), Small.Last(crashed["run"]));
        AssertSameMetrics(whole["run"], crashed["run"]);
        Assert.Empty(Directory.GetFiles(crashed["run"], "*.partial", SearchOption.AllDirectories));
    }

    [Fact]
    public void KeptCheckpoints_HoldTheWeightsOfTheirEpochs_AndTheLastFollowsThem()
    {
        using var folder = new TemporaryFolder();
        var recipe = Small.Recipe with { Training = Small.Recipe.Training with { KeepEvery = 2 } };
        Small.Train(folder["run"], recipe);
        var kept = RunFolder.KeptCheckpoints(folder["run"]);
        Assert.Equal(["epoch-0002.safetensors", "last.safetensors"], kept.Select(Path.GetFileName));
        using var second = Checkpoint.Load(kept[0]);
        Assert.Equal(2, second.Position.Epoch);
        Assert.DoesNotContain(WeakLink.Files.SafeTensors.Read(kept[0]).Tensors.Keys, name => name.StartsWith("optimizer.", StringComparison.Ordinal));

        // A run stopped right after its second epoch had these weights.
        using var parts = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Small.Train(parts["run"], recipe, new StopAfter(stop, 13), stop: stop.Token));
        Assert.Equal(["epoch-0002.safetensors"], RunFolder.KeptCheckpoints(parts["run"]).Select(Path.GetFileName).Take(1));
        var stopped = WeakLink.Files.SafeTensors.Read(parts["run/checkpoints/epoch-0002.safetensors"]).Tensors;
        Assert.All(WeakLink.Files.SafeTensors.Read(kept[0]).Tensors, pair => Assert.True(pair.Value.allclose(stopped[pair.Key], 0, 0), pair.Key));

        using var none = new TemporaryFolder();
        Small.Train(none["run"], Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 } });
        Assert.Contains("training.keep-every", Assert.Throws<InputException>(() => RunFolder.KeptCheckpoints(none["run"])).Message);
    }

    [Fact]
    public void AnotherSeed_GivesOtherWeights_TheSameSeedTheSame()
    {
        using var folder = new TemporaryFolder();
        Small.Train(folder["a"]);
        Small.Train(folder["b"]);
        Small.Train(folder["c"], Small.Recipe with { Seed = 1 });
        AssertSame(Small.Last(folder["a"]), Small.Last(folder["b"]));
        Assert.False(Small.Last(folder["a"])["fc.weight"].allclose(Small.Last(folder["c"])["fc.weight"]));
    }

    [Fact]
    public void NotANumber_StopsWithASentence_AndTheCheckpointOfTheLastGoodEpoch()
    {
        using var folder = new TemporaryFolder();
        Small.Train(folder["run"], Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 } });
        var before = File.ReadAllBytes(folder["run/checkpoints/last.safetensors"]);
        var exploding = Small.Recipe with { Training = Small.Recipe.Training with { LearningRate = 999, WeightDecay = 1e6, GradientClip = 0, Schedule = ScheduleKind.Step } };
        var error = Assert.Throws<InputException>(() => Small.Train(folder["run"], exploding));
        Assert.Contains("lower training.learning-rate", error.Message);
        Assert.Equal(before, File.ReadAllBytes(folder["run/checkpoints/last.safetensors"]));
    }

    [Fact]
    public void FullDisk_StopsWithASentence_AndTheLastCheckpointIntact()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /dev/full");
        using var folder = new TemporaryFolder();
        Small.Train(folder["run"], Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 } });
        var before = File.ReadAllBytes(folder["run/checkpoints/last.safetensors"]);
        // The name of this process's temporary file leads to a device that is always full.
        File.CreateSymbolicLink(AtomicFile.TemporaryOf(folder["run/checkpoints/last.safetensors"]), "/dev/full");
        using var opened = RunFolder.Open(folder["run"], Small.Recipe, Small.Data.Train.Classes, new ImageSize(32, 32), new { }, resume: true);
        File.CreateSymbolicLink(AtomicFile.TemporaryOf(folder["run/checkpoints/last.safetensors"]), "/dev/full");
        var error = Assert.Throws<InputException>(() => TrainingRun.Train(Small.Recipe, Small.Data, opened, torch.CPU, new SilentObserver()));
        Assert.Contains("free some space", error.Message);
        Assert.Equal(before, File.ReadAllBytes(folder["run/checkpoints/last.safetensors"]));
    }

    [Fact]
    public void FolderInUse_OrNotEmpty_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using var first = RunFolder.Open(folder["run"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: false);
        Assert.Contains("Another process", Assert.Throws<InputException>(() => RunFolder.Open(folder["run"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: true)).Message);
        Assert.Contains("resume its run", Assert.Throws<InputException>(() => RunFolder.Open(folder["run"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: false)).Message);
    }

    [Fact]
    public void RunFolder_HoldsWhatExplainsIt()
    {
        using var folder = new TemporaryFolder();
        Small.Train(folder["run"]);
        Assert.Equal(RecipeFile.ToYaml(Small.Recipe), RecipeFile.ToYaml(RunFolder.RecipeOf(folder["run"])));
        Assert.Equal(3, File.ReadLines(folder["run/metrics.jsonl"]).Count(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble() > 0));
        Assert.NotEmpty(Directory.GetFiles(folder["run/tensorboard"], "events.out.tfevents.*"));
        Assert.True(File.Exists(folder["run/checkpoints/best.safetensors"]));
        Assert.True(File.Exists(folder["run/environment.json"]));
    }

    private static void AssertSame(Dictionary<string, torch.Tensor> expected, Dictionary<string, torch.Tensor> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.Contains(expected.Keys, name => name.StartsWith("optimizer.", StringComparison.Ordinal));
        foreach (var (name, tensor) in expected)
        {
            Assert.True(tensor.bytes.SequenceEqual(actual[name].bytes), name);
        }
    }

    private static void AssertSameMetrics(string expected, string actual)
    {
        static IEnumerable<(int, double, double?, double?)> Read(string path) => File.ReadLines(Path.Combine(path, "metrics.jsonl"))
            .Select(line => JsonSerializer.Deserialize<EpochMetrics>(line, Json.Line)!)
            .Select(metrics => (metrics.Epoch, metrics.Loss, metrics.Divergence, metrics.ValidationTop1));
        Assert.Equal(Read(expected), Read(actual));
    }

    internal sealed class StopAfter(CancellationTokenSource stop, int steps) : Counting
    {
        protected override void Step(int count)
        {
            if (count == steps)
            {
                stop.Cancel();
            }
        }
    }

    private sealed class CrashAfter(int steps) : Counting
    {
        protected override void Step(int count)
        {
            if (count == steps)
            {
                // Nothing in the program catches this one.
                throw new InvalidTimeZoneException();
            }
        }
    }

    internal abstract class Counting : IRunObserver
    {
        private int _steps;

        public void Begin(string name, long total, string unit, long done = 0) => _steps = 0;

        public void Advance(long done, string detail = "") => Step(++_steps);

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }

        protected abstract void Step(int count);
    }
}
