using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public class MeasuringEstimateTests
{
    [Fact]
    public void Passes_AreThoseOfEachMeasurement()
    {
        Assert.Equal((30L, 0L), Estimate("evaluation.corruptions=none", "evaluation.subnets=0", "evaluation.curve-images=0") is var none ? (none.Passes, none.AttackPasses) : default);
        Assert.Equal(30 + (2 * 5 * 7), Estimate("evaluation.corruptions=fog,snow", "evaluation.corruption-images=7", "evaluation.subnets=0", "evaluation.curve-images=0").Passes);
        // All thirty images, and all of the 96 for training.
        Assert.Equal(30 + 30 + (2 * 3 * (30 + 96)) + (5 * 96), Estimate("evaluation.corruptions=none", "evaluation.subnets=3", "evaluation.subnet-images=0", "evaluation.recalibration-images=1024", "evaluation.search-updates=5", "evaluation.curve-images=0").Passes);
        Assert.Equal(30 + (10 * (1 + (7 * 31))), Estimate("evaluation.corruptions=none", "evaluation.subnets=0", "evaluation.curve-images=10").Passes);
        var attacked = Estimate("evaluation.corruptions=none", "evaluation.subnets=0", "evaluation.curve-images=0", "evaluation.attack=pgd,square", "evaluation.attack-images=9");
        Assert.Equal((30, 9 * ((3 * 20) + 5000)), (attacked.Passes, attacked.AttackPasses));
        Assert.Contains("of attacks: 30 test images; pgd, square on 9 images.", attacked.ToString(), StringComparison.Ordinal);
        Assert.InRange(attacked.Seconds, 0, attacked.AttackSeconds);
    }

    // What is said to be at most is not exceeded by more than the passes that check what came out.
    [Theory]
    [InlineData("pgd")]
    [InlineData("apgd-ce")]
    [InlineData("fab")]
    public void PassesOfAnAttack_AreThoseThatItTakes(string name)
    {
        torch.manual_seed(2);
        using var network = Small.Recipe.CreateNetwork(10);
        network.eval();
        using var scope = torch.NewDisposeScope();
        var (model, images) = (new AttackedModel(network), torch.rand(1, 3, 32, 32));
        var attack = Assert.Single(KnownAttacks.Named(name, new ThreatModel(Norm.Linf, 1e-6)));
        attack.Run(0, model, images, model.Predict(images), 0, [0]);
        Assert.InRange(model.Forwards + (2 * model.Backwards), 0.5 * attack.Passes(10), (1.05 * attack.Passes(10)) + 5);
    }

    private static MeasuringEstimate Estimate(params string[] settings)
    {
        using var network = Small.Recipe.CreateNetwork(10);
        return MeasuringEstimate.For(new Evaluator(network, Small.Recipe.With(settings), Small.Data.Test, torch.CPU, new SilentObserver()), Small.Data.Train, examples: true);
    }
}
