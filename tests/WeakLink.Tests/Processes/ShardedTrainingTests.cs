using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Experiments;
using WeakLink.Imaging;
using WeakLink.Objectives;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Processes;

public class ShardedTrainingTests
{
    // Two steps.
    private static readonly DataSplits Images = new(Small.Shapes(0, 24), Small.Shapes(1, 10), Small.Shapes(2, 10), []);

    private static readonly Recipe Short = Small.Recipe.With(
        "training.epochs=1", "training.batch=12", "training.sync-batch-norm=true", "training.learning-rate=0.01", "training.threads=1", "training.workers=1",
        "augmentation.crop=16", "ews.policy-every=1");

    [Fact]
    public void CrossEntropy_WithALearningSearch() => RequireSame(Short, 4);

    [Fact]
    public void MixedImagesInThreeViews() => RequireSame(
        Short.With("objective.kind=consistency", "augmentation.sequence=crop,flip,augmix,mixup,cutmix", "training.average=0.9", "training.optimiser=adamw", "training.learning-rate=0.001"), 3);

    [Fact]
    public void Pgd_WithWeightPerturbationAndSaliency() => RequireSame(
        Short.With("objective.kind=pgd", "objective.steps=2", "objective.norm=l2", "objective.eps=0.5", "objective.weight-perturbation=0.01", "objective.weight-perturbation-warmup=0", "ews.search=saliency", "training.class-balance=weights"), 3);

    // TRADES begins so near the image that much of its attack's first gradient is rounding: another memory layout on one process differs as much.
    [Fact]
    public void Trades_WithBatchStatistics() => RequireSame(
        Short.With("objective.kind=trades", "objective.steps=2", "objective.norm=l2", "objective.eps=0.5", "objective.attack-mode=training", "ews.search=random"), 2, 3e-2);

    [Fact]
    public void APartOfTheBatch_UnderAttack() => RequireSame(Short.With("ews.view=adversarial", "ews.fraction=0.5", "objective.steps=2", "objective.norm=l2", "objective.eps=0.5"), 4);

    private const double Exact = 1e-5;

    [Fact]
    public void WhereAttacksBegin_FollowsFromAnImagesPlaceInTheBatch()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Small.Network();
        var (images, labels) = (torch.rand(6, 3, 11, 11), torch.zeros(6, torch.int64));
        var share = new BatchShare([1, 4], 6);
        var places = torch.tensor((long[])[1, 4]);
        var start = new InnerAttack(new ThreatModel(Norm.Linf, 0.03), Steps: 0, 0.01, BatchStatistics: false);
        foreach (var objective in new IObjective[] { new AdversarialTraining(start), new Trades(start, 6) })
        {
            var whole = objective.Prepare(network, [images], labels, BatchShare.All(6), new SeededRandom(1, RandomUse.Objective))[0];
            var part = objective.Prepare(network, [images.index_select(0, places)], labels[..2], share, new SeededRandom(1, RandomUse.Objective))[0];
            Assert.True(whole.index_select(0, places).equal(part).all().ToBoolean());
            Assert.False(images.index_select(0, places).equal(part).all().ToBoolean());
        }
    }

    private static void RequireSame(Recipe recipe, int size, double tolerance = Exact)
    {
        using var scope = torch.NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (alone, together) = (Train(recipe, 1, folder["alone"]), Train(recipe, size, folder["together"]));
        Assert.Equal(Loss(folder["alone"]), Loss(folder["together"]), tolerance);
        var (expected, actual) = (Small.Last(folder["alone"]), Small.Last(folder["together"]));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, tensor) in expected)
        {
            var wide = tensor.to(torch.float64);
            var error = (wide - actual[name].to(torch.float64)).abs().max().ToDouble();
            Assert.True(error <= tolerance * Math.Max(1, wide.abs().max().ToDouble()), $"{name} differs by {error:g3} on {size} processes");
        }

        Assert.All(together, position => Assert.Equal((1, alone[0].BestTop1), (position.Epoch, position.BestTop1)));
    }

    private static RunPosition[] Train(Recipe recipe, int size, string path) => Ranks.Run(size, processes =>
    {
        using var folder = RunFolder.Open(path, recipe, Images.Train.Classes, new ImageSize(32, 32), new { }, resume: false, processes);
        return TrainingRun.Train(recipe, Images, folder, torch.CPU, new SilentObserver(), processes: processes);
    });

    private static double Loss(string path) => RunFolder.EpochsOf(path)[0].Loss;
}
