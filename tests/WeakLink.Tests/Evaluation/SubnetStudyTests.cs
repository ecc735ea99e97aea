using System.Text.Json;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Tests.Data;
using WeakLink.Tests.Processes;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public sealed class SubnetStudyTests : IDisposable
{
    private static readonly IReadOnlyList<Corruption> Noises = CommonCorruptions.Named("gaussian_noise,fog");
    private static readonly Attack Pgd = new ProjectedGradientDescent(new ThreatModel(Norm.Linf, 2.0 / 255), 2, 1.0 / 255);

    private readonly TemporaryFolder _folder = new();
    private readonly TrainedModel _trained;

    public SubnetStudyTests()
    {
        NativeLibraries.Load();
        Small.Train(_folder["run"]);
        _trained = TrainedModel.Load(_folder["run"], torch.CPU);
    }

    [Fact]
    public void OfWidthOne_EverySubnetIsTheFullNetwork()
    {
        using var images = Images(recalibration: 0);
        var (full, reestimated, widths) = Measure(images, new SubnetStudyOptions { Widths = [1], Count = 2, Searches = 2, SearchUpdates = 2, Attacks = [Pgd] });
        Assert.All(widths[0].Groups, group => Assert.All(Enum.GetValues<AccuracyKind>(), kind => Assert.Equal([full[kind]!.Value, full[kind]!.Value], group[kind]!.All!)));
        Assert.Equal(5, widths[0].Groups.Count());
        Assert.Null(widths[0].RunningAverages);
        Assert.Null(reestimated);

        using var more = Images(recalibration: 32);
        (full, reestimated, widths) = Measure(more, new SubnetStudyOptions { Widths = [1], Count = 1, SearchUpdates = 0 });
        Assert.Equal(reestimated!.Clean, widths[0].Random.Clean.Mean);
        Assert.Equal(full.Clean, widths[0].RunningAverages!.Mean);
    }

    [Fact]
    public void WhatIsMeasured_IsWhatTheOtherEvaluationsMeasure()
    {
        var recipe = Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "gaussian_noise,fog", CorruptionImages = 0 } };
        using var images = Images(recalibration: 32, severities: Corruption.AllSeverities);
        var (full, _, widths) = Measure(images, new SubnetStudyOptions { Widths = [0.7], Count = 2, SearchUpdates = 0, Attacks = [Pgd] });

        Evaluator Evaluator(int recalibration) => new(
            _trained.Network,
            recipe with { Evaluation = recipe.Evaluation with { Subnets = 2, SubnetWidth = 0.7, SubnetImages = 0, RecalibrationImages = recalibration, SearchUpdates = 0 } },
            Small.Data.Test,
            torch.CPU,
            new SilentObserver());
        Assert.Equal(Evaluator(32).Corrupted()!.Accuracy, full.Corrupted!.Value, 12);

        var subnets = Evaluator(32).Subnets(Small.Data.Train)!.Summary;
        Assert.Equal(subnets.Full, full.Clean);
        Assert.Equal(subnets.Random.All!, widths[0].Random.Clean.All!);
        var averages = Evaluator(0).Subnets(Small.Data.Train)!.Summary;
        Assert.Equal(averages.Random.All!, widths[0].RunningAverages!.All!);
        Assert.Null(widths[0].Proposed);
        Assert.Null(widths[0].Search);

        // The second of the random subnets, attacked on its own.
        using var search = new RandomSearch(_trained.Network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.SubnetEvaluation, 0, 1)));
        using var statistics = SubnetEvaluation.Recalibrate(_trained.Network, subnet, Loaders.Recalibrating(recipe, Small.Data.Train), 32, torch.CPU, 0);
        using var module = new SubnetModule(_trained.Network, subnet, statistics);
        var robust = new Evaluator(module, recipe, Small.Data.Test, torch.CPU, new SilentObserver()).Attacked("pgd", [Pgd]);
        Assert.Equal(robust.Accuracy, widths[0].Random.Attacked!.All![1]);
    }

    [Fact]
    public void AnImage_IsAttackedWithItsOwnDraws_WhateverPartOfTheSetIsAttacked()
    {
        var (part, whole) = (new Recorder(Pgd.Threat), new Recorder(Pgd.Threat));
        using var images = Images(recalibration: 0, attacked: 12);
        Measure(images, new SubnetStudyOptions { Widths = [1], Count = 1, SearchUpdates = 0, Attacks = [part] });
        new Evaluator(_trained.Network, Small.Recipe, Small.Data.Test, torch.CPU, new SilentObserver()).Attacked("all", [whole]);
        Assert.NotEmpty(part.Drawn);
        Assert.Subset(whole.Drawn, part.Drawn);
    }

    [Fact]
    public void AllSearches_HaveTheSamePasses_AndMinimaThatNeverRise()
    {
        using var images = Images(recalibration: 16);
        var (_, _, widths) = Measure(images, new SubnetStudyOptions { Widths = [0.6, 0.8], Count = 1, Searches = 2, SearchUpdates = 5 });
        Assert.All(widths, width =>
        {
            var search = width.Search!;
            Assert.Equal((2, 2, 2), (search.Policy.Count, search.Random.Count, search.Saliency.Count));
            Assert.All(search.Kinds.SelectMany(kind => kind.Courses), course =>
            {
                Assert.Equal(5, course.Count);
                Assert.Equal(course.OrderDescending(), course);
            });
            Assert.Equal((2, 2), (width.WeakestOfPolicy!.Clean.Count, width.WeakestOfSaliency!.Clean.Count));
            Assert.Equal(["policy", "random", "saliency"], search.Seconds!.Keys);
            Assert.Null(width.Random.Attacked);
        });
    }

    [Fact]
    public void AStudy_LeavesTheNetworkAlone_RepeatsItself_AndDisposesOfItsTensors()
    {
        var before = _trained.Network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var options = new SubnetStudyOptions { Widths = [0.7], Count = 2, Searches = 1, SearchUpdates = 3, Attacks = [Pgd] };
        string Once(SubnetStudyOptions what)
        {
            using var images = Images(recalibration: 16);
            return JsonSerializer.Serialize(Measure(images, what).Widths.Select(width => width with { Search = width.Search is { } search ? search with { Seconds = null } : null }));
        }

        Assert.Equal(Once(options), Once(options));
        var tensors = LiveTensors.Before();
        Once(options with { SearchUpdates = 0 });
        Assert.Equal(tensors, LiveTensors.After());
        Assert.False(_trained.Network.training);
        Assert.All(_trained.Network.state_dict(), pair => Assert.True(pair.Value.allclose(before[pair.Key], 0, 0), pair.Key));
    }

    [Fact]
    public void TheProgress_EndsWhereItSaidItWould()
    {
        using var images = Images(recalibration: 16);
        var observer = new Progress();
        Measure(images, new SubnetStudyOptions { Widths = [0.6, 0.8], Count = 2, Searches = 2, SearchUpdates = 3 }, observer);
        Assert.Equal(observer.Total, observer.Done);
        Measure(images, new SubnetStudyOptions { Widths = [0.8], Count = 2, SearchUpdates = 0 }, observer);
        Assert.Equal(observer.Total, observer.Done);
    }

    [Fact]
    public void ThreeProcesses_MeasureWhatOneDoes()
    {
        using var images = Images(recalibration: 32);
        var options = new SubnetStudyOptions { Widths = [0.5, 0.7], Count = 4, Searches = 2, SearchUpdates = 3, Attacks = [Pgd], Exact = true };
        var alone = Measured(1)[0];
        Assert.Contains("saliency-2", alone);
        Assert.All(Measured(3), its => Assert.Equal(alone, its));

        string[] Measured(int size) => Ranks.Run(size, processes =>
        {
            using var trained = TrainedModel.Load(_folder["run"], torch.CPU);
            var (full, reestimated, widths) = SubnetStudyMeasurement.Measure(trained.Network, images, options, torch.CPU, "run", new SilentObserver(), processes);
            return JsonSerializer.Serialize(new { full, reestimated, widths = widths.Select(width => width with { Search = width.Search! with { Seconds = new Dictionary<string, double>() } }), found = widths.Select(width => width.Found) });
        });
    }

    [Fact]
    public void MoreImagesThanMemory_AreRefusedBeforeTheyAreMade()
    {
        var recipe = Small.Recipe with { Data = Small.Recipe.Data with { CacheMegabytes = 0 } };
        var options = new SubnetStudyImagesOptions { Limit = 0, Corruptions = CommonCorruptions.All, Severities = Corruption.AllSeverities };
        Assert.Contains("data.cache-megabytes", Assert.Throws<InputException>(() => SubnetStudyImages.Create(recipe, Small.Data.Test, Small.Data.Train, options, new SilentObserver())).Message);
    }

    public void Dispose()
    {
        _trained.Dispose();
        _folder.Dispose();
    }

    private static SubnetStudyImages Images(int recalibration, IReadOnlyList<int>? severities = null, int attacked = 1000) => SubnetStudyImages.Create(
        Small.Recipe,
        Small.Data.Test,
        Small.Data.Train,
        new SubnetStudyImagesOptions { Limit = 0, Corruptions = Noises, Severities = severities ?? [2], AttackLimit = attacked, RecalibrationImages = recalibration },
        new SilentObserver());

    private (Accuracies Full, Accuracies? FullReestimated, IReadOnlyList<WidthStudy> Widths) Measure(SubnetStudyImages images, SubnetStudyOptions options, IRunObserver? observer = null) =>
        SubnetStudyMeasurement.Measure(_trained.Network, images, options, torch.CPU, "run", observer ?? new SilentObserver());

    /// <summary>Breaks nothing, and notes what it is given to draw from for which image.</summary>
    private sealed class Recorder(ThreatModel threat) : Attack("recorder", threat)
    {
        public HashSet<(string Image, ulong Draw)> Drawn { get; } = [];

        public override int Attempts(int classes) => 1;

        protected override torch.Tensor Search(int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop)
        {
            foreach (var (generator, i) in draws.Generators().Select((generator, i) => (generator, i)))
            {
                Drawn.Add((Convert.ToHexString(images[i].contiguous().bytes), generator.NextBits()));
            }

            return images.clone();
        }
    }

    private sealed class Progress : IRunObserver
    {
        public long Total { get; private set; }

        public long Done { get; private set; }

        public void Begin(string name, long total, string unit, long done = 0) => Total = total;

        public void Advance(long done, string detail = "") => Done = done;

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }
    }
}
