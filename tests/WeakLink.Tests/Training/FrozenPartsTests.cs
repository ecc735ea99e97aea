using TorchSharp;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public sealed class FrozenPartsTests
{
    [Theory]
    [InlineData("resnet8", "none", 0)]
    [InlineData("resnet8", "bn1", 2)]
    [InlineData("resnet8", "layer1", 3)]
    [InlineData("resnet8", "backbone", 5)]
    [InlineData("wide-resnet-10-1", "block1", 2)]
    public void APart_StandsStill_WithAllBeforeIt(string name, string last, int parts)
    {
        using var scope = torch.NewDisposeScope();
        using var network = Create(name);
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone());
        var frozen = network.named_children().Select(child => child.name).Take(parts).ToList();

        Train(network, new TrainingRecipe { Freeze = last });

        Assert.All(network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")), pair =>
            Assert.Equal(frozen.Contains(pair.Key.Split('.')[0]), pair.Value.eq(before[pair.Key]).all().ReadBoolean()));
    }

    [Fact]
    public void BatchNorms_KeepTheirAverages_WhereTheyAreFrozen()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Create("resnet8");
        var (images, before) = (torch.rand([8, 3, 16, 16]), network.get_buffer("bn1.running_mean")!.clone());
        network.eval();
        var measured = network.call(images);
        network.train();
        Assert.False(network.call(images).allclose(measured));
        network.get_buffer("bn1.running_mean")!.copy_(before);

        using var same = Create("resnet8");
        _ = new FrozenParts(same, new TrainingRecipe { FreezeBatchNorm = true }, 10);
        same.train();
        Assert.True(same.call(images).allclose(measured));
        Assert.Equal(0, same.get_buffer("bn1.num_batches_tracked")!.ReadInt64());
        Assert.NotNull(same.get_parameter("conv1.weight"));
        Assert.True(same.get_parameter("conv1.weight")!.requires_grad);
    }

    [Fact]
    public void WarmUp_TrainsTheClassifierAlone()
    {
        using var network = Create("resnet8");
        var frozen = new FrozenParts(network, new TrainingRecipe { Epochs = 4, ClassifierWarmup = 0.25 }, stepsPerEpoch: 10);
        frozen.Apply(9);
        Assert.Equal(["fc.weight", "fc.bias"], network.named_parameters().Where(named => named.parameter.requires_grad).Select(named => named.name));
        frozen.Apply(10);
        Assert.All(network.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void PartThatIsNotThere_IsNamed_WithThoseThatAre()
    {
        var message = Assert.Throws<InputException>(() => FrozenParts.Check(new Recipe { Model = new() { Name = "resnet8" }, Training = new() { Freeze = "layer4" } })).Message;
        Assert.Contains("training.freeze can't be 'layer4'; of resnet8 choose none, conv1, bn1, layer1, layer2, layer3 or backbone", message, StringComparison.Ordinal);
    }

    private static ClassifierNetwork Create(string name) => NetworkCatalogue.Create(name, 3, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], seed: 4, widthMultiplier: 0.25);

    // Two steps with weak subnets, which must not move what is frozen either.
    private static void Train(ClassifierNetwork network, TrainingRecipe recipe)
    {
        using var optimizer = new MomentumSgd(ParameterGroup.Of(network, recipe), 0.1, 0.9, 1e-2, nesterov: true);
        using var search = new RandomSearch(network.Space, 0.7);
        var frozen = new FrozenParts(network, recipe, 10);
        var step = new TrainingStep(network, new WeakLink.Objectives.CrossEntropy(), new EnhanceWeakSubnets(network, search, new Distillation(1)), null, optimizer, 3, torch.CPU, seed: 1);
        network.train();
        for (var i = 0; i < 2; i++)
        {
            frozen.Apply(i);
            using var batch = new WeakLink.Data.Batch(torch.randint(0, 255, [6, 3, 16, 16], torch.uint8), torch.arange(6).remainder(3), [0, 1, 2, 3, 4, 5]);
            step.Run(batch, i, 0.1);
        }
    }
}
