using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public sealed class KeptResultsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AMeasurementStoppedAgainAndAgain_EndsWithTheNumbersOfAnUninterruptedOne()
    {
        var recipe = Small.Recipe with
        {
            Evaluation = new EvaluationRecipe
            {
                Batch = 8,
                Corruptions = "fog,brightness",
                CorruptionImages = 8,
                Subnets = 2,
                SubnetImages = 8,
                SearchUpdates = 3,
                RecalibrationImages = 16,
                CurveImages = 8,
                Perturbations = "brightness,rotate",
                PerturbationImages = 4,
                Attack = "fgsm,pgd",
                AttackImages = 8,
            },
        };
        torch.manual_seed(4);
        using var model = new TrainedModel(recipe.CreateNetwork(10), recipe, Small.Data.Test.Classes, new ImageSize(32, 32), new RunPosition());
        model.Network.eval();
        var whole = Measurement.Of(model, new Evaluator(model.Network, recipe, Small.Data.Test, torch.CPU, new SilentObserver()), Small.Data.Train, examples: true);

        var (attempts, begun, resumed) = (0, 0, (Measurement?)null);
        while (resumed is null)
        {
            using var stop = new CancellationTokenSource();
            var observer = new StopAfter(9 * ++attempts, stop);
            var evaluator = new Evaluator(model.Network, recipe, Small.Data.Test, torch.CPU, observer, stop.Token).Keeping(_folder["progress"]);
            Assert.True(attempts == 1 || evaluator.Before("clean ") > 0);
            try
            {
                resumed = Measurement.Of(model, evaluator, Small.Data.Train, examples: true);
                begun = observer.DoneBefore;
            }
            catch (OperationCanceledException)
            {
                Assert.True(attempts < 20, "nothing is kept");
            }
        }

        Assert.InRange(attempts, 3, 19);
        // Corruptions and subnets said how far they were.
        Assert.True(begun > 10, $"{begun} results were there before");
        Assert.Equal(whole.Predictions, resumed.Predictions);
        Assert.Equal(whole.Summary.Clean, resumed.Summary.Clean);
        Assert.Equal(whole.Summary.Calibration, resumed.Summary.Calibration);
        Assert.Equal(whole.Summary.Corruptions!.Error.Select(pair => (pair.Key, string.Join(' ', pair.Value))), resumed.Summary.Corruptions!.Error.Select(pair => (pair.Key, string.Join(' ', pair.Value))));
        Assert.Equal((8, whole.Summary.Corruptions.Accuracy), (resumed.Summary.Corruptions.Images, resumed.Summary.Corruptions.Accuracy));
        Assert.Equal(whole.Summary.Perturbations!.Flips, resumed.Summary.Perturbations!.Flips);
        Assert.Equal(whole.Summary.Perturbations.Distances, resumed.Summary.Perturbations.Distances);
        Assert.Equal(whole.Summary.Curve!.Points, resumed.Summary.Curve!.Points);
        Assert.Equal(whole.Summary.Subnets!.Random.All!, resumed.Summary.Subnets!.Random.All!);
        Assert.Equal(whole.Summary.Subnets.Proposed.All!, resumed.Summary.Subnets.Proposed.All!);
        Assert.Equal(whole.Summary.Attacks!["pgd"]["linf"].Accuracy, resumed.Summary.Attacks!["pgd"]["linf"].Accuracy);
        Assert.Equal(whole.Pictures.Keys.Order(), resumed.Pictures.Keys.Order());
        Assert.All(whole.Pictures, picture => Assert.True(picture.Value.SequenceEqual(resumed.Pictures[picture.Key]), picture.Key));

        // Other images, weights or settings have nothing here.
        Assert.Equal(0, Of(recipe with { Seed = 1 }).Before(""));
        using (torch.no_grad())
        {
            model.Network.parameters().First().add_(1f);
        }

        Assert.Equal(0, Of(recipe).Before(""));

        Evaluator Of(Recipe other) => new Evaluator(model.Network, other, Small.Data.Test, torch.CPU, new SilentObserver()).Keeping(_folder["progress"]);
    }

    [Fact]
    public void ALineThatWasCutOffOrChanged_IsMeasuredAgain()
    {
        var kept = KeptResults.Open(_folder.Path, "mine");
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            Assert.Equal(0.1, kept.Get(name, () => 0.1));
        }

        var file = Assert.Single(Directory.GetFiles(_folder.Path));
        var lines = File.ReadAllLines(file);
        File.WriteAllText(file, string.Join('\n', lines[0], lines[1].Replace("0.1,", "0.2,", StringComparison.Ordinal), lines[2], lines[3][..20]));
        var again = KeptResults.Open(_folder.Path, "mine");
        Assert.Equal([0.1, 0.7, 0.1, 0.7], new[] { "a", "b", "c", "d" }.Select(name => again.Get(name, () => 0.7)));
        Assert.Equal(4, KeptResults.Open(_folder.Path, "mine").CountBefore(""));

        // What rests on something else is no result of this.
        var others = KeptResults.Open(_folder.Path, "others");
        Assert.Equal(0, others.CountBefore(""));
        others.Add("a", 0.5, 1);
        File.WriteAllLines(Directory.GetFiles(_folder.Path).Single(one => one != file), lines);
        Assert.Equal(0, KeptResults.Open(_folder.Path, "others").CountBefore(""));
    }

    private sealed class StopAfter(int advances, CancellationTokenSource stop) : IRunObserver
    {
        private int _advances;

        public int DoneBefore { get; private set; }

        public void Begin(string name, long total, string unit, long done = 0) => DoneBefore += (int)done;

        public void Advance(long done, string detail = "")
        {
            if (++_advances == advances)
            {
                stop.Cancel();
            }
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }
    }
}
