using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Recipes;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Subnets;

public class SubnetModuleTests
{
    public SubnetModuleTests() => NativeLibraries.Load();

    [Fact]
    public void TheModule_IsTheSubnet_AndOwnsNothing()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Small.Recipe.CreateNetwork(10);
        network.eval();
        using var search = new RandomSearch(network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal)));
        var images = torch.rand([2, 3, 32, 32]);
        using (var module = new SubnetModule(network, subnet))
        {
            Assert.True(module.call(images).allclose(network.forward(images, subnet), 0, 0));
            Assert.Empty(module.parameters());
        }

        // Disposing of the module left the network alone.
        using var whole = new SubnetModule(network, null);
        Assert.True(whole.call(images).allclose(network.call(images), 0, 0));
        // Its gradient is the subnet's: an attack on it is a white-box attack.
        var (_, _, gradient) = new AttackedModel(new SubnetModule(network, subnet)).Gradient(images, logits => logits.sum(1));
        using var enabled = torch.enable_grad();
        var variable = images.clone().requires_grad_();
        Assert.True(torch.autograd.grad([network.forward(variable, subnet).sum()], [variable])[0].allclose(gradient, 0, 0));
    }

    [Fact]
    public void ANetworkInTrainingMode_IsNotAttacked()
    {
        using var network = Small.Recipe.CreateNetwork(10);
        network.train();
        using var module = new SubnetModule(network, null);
        Assert.Contains("training mode", Assert.Throws<InputException>(() => new AttackedModel(module)).Message);
    }
}
