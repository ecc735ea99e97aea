using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Subnets;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public class AttackStateTests
{
    [Fact]
    public void Progress_IsOfASubnetsStatistics_AndOfHowImagesWereScaled()
    {
        using var network = Small.Recipe.CreateNetwork(10);
        network.eval();
        using var search = new RandomSearch(network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal)));
        using var few = SubnetEvaluation.Recalibrate(network, subnet, Loaders.Recalibrating(Small.Recipe, Small.Data.Train), 32, torch.CPU, 0);
        using var many = SubnetEvaluation.Recalibrate(network, subnet, Loaders.Recalibrating(Small.Recipe, Small.Data.Train), 64, torch.CPU, 0);
        string[] found =
        [
            Of(null, Small.Recipe),
            Of(few, Small.Recipe),
            Of(many, Small.Recipe),
            Of(null, Small.Recipe with { Data = Small.Recipe.Data with { Filter = ResizeFilter.Bicubic } }),
            Of(null, Small.Recipe with { Data = Small.Recipe.Data with { Size = 40 } }),
        ];
        Assert.Equal(found.Length, found.Distinct().Count());
        Assert.Equal(found[1], Of(few, Small.Recipe));

        string Of(SubnetStatistics? statistics, Recipe recipe) =>
            AttackState.ChecksumOf(new Evaluator(new SubnetNetwork(network, subnet, statistics), recipe, Small.Data.Test, torch.CPU, new SilentObserver()));
    }
}
