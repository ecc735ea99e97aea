using TorchSharp;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public sealed class ParameterGroupTests
{
    [Theory]
    [InlineData("resnet8", "fc.weight")]
    [InlineData("preact-resnet18", "linear.weight")]
    public void WhatIsBeforeTheClassifier_MovesByItsFactor(string name, string classifier)
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create(name, 3, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], widthMultiplier: 0.1);
        var before = network.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach().clone());
        using var optimizer = new MomentumSgd(ParameterGroup.Of(network, new TrainingRecipe { BackboneRate = 0.25 }), 1, 0, 0, nesterov: false);
        network.parameters().Select(parameter => parameter.sum()).Aggregate((one, other) => one + other).backward();

        optimizer.step();

        // Every gradient is 1, so each moves by its rate.
        Assert.All(network.named_parameters(), named =>
            Assert.Equal(named.name == classifier || named.name == classifier.Replace("weight", "bias") ? -1 : -0.25, (named.parameter - before[named.name]).mean().ReadDouble(), 1e-5));
    }

    [Fact]
    public void ScalesShiftsAndBiases_DecayOnlyWhereTheyShall()
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create("resnet8", 3, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], widthMultiplier: 0.25);
        Assert.Equal([1.0], ParameterGroup.Of(network, new TrainingRecipe()).Select(group => group.Decay));
        var groups = ParameterGroup.Of(network, new TrainingRecipe { DecayNorms = false });
        Assert.Equal(network.parameters().Count(), groups.Sum(group => group.Parameters.Count));
        Assert.All(groups, group => Assert.All(group.Parameters, parameter => Assert.Equal(parameter.dim() > 1 ? 1 : 0, group.Decay)));
    }
}
