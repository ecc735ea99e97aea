using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

public class SaliencySearchTests
{
    public SaliencySearchTests() => NativeLibraries.Load();

    [Theory]
    [InlineData("resnet8")]
    [InlineData("wide-resnet-10-1")]
    public void GateGradients_AreTheDifferencesOfTheLoss(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var network = Tiny(name);
        var (images, labels) = Batch(name.Length);
        var gradients = new SearchBatch(network, images, labels, network.call(images).detach()).GateGradients();
        using var noGradients = torch.no_grad();
        Assert.Equal(network.Space.Choices.Select(choice => (long)choice.Items), gradients.Select(gradient => (long)gradient.Length));
        // Some of the choices: each costs two passes an item.
        foreach (var place in new[] { 0, 1, network.Space.Choices.Count - 1 })
        {
            for (var item = 0; item < network.Space.Choices[place].Items; item++)
            {
                const double Step = 2e-3;
                var difference = (Loss(network, images, labels, place, item, 1 + Step) - Loss(network, images, labels, place, item, 1 - Step)) / (2 * Step);
                Assert.Equal(difference, gradients[place][item], 3e-3);
            }
        }

        Assert.True(gradients.Max(gradient => gradient.Max(MathF.Abs)) > 0.01, "flat gradients test nothing");
    }

    [Fact]
    public void AGateOfZero_LeavesTheItemOut()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Tiny("resnet8");
        var (images, _) = Batch(1);
        using var search = new RandomSearch(network.Space, 0.4);
        var subnet = search.Propose(new SearchContext(new SeededRandom(3, RandomUse.Proposal)));
        var gates = network.Space.Choices.Zip(subnet.Kept, (choice, kept) => torch.zeros(choice.Items).index_fill_(0, torch.tensor(kept.ToArray()), 1)).ToList();
        Assert.True(network.forward(images, subnet).allclose(network.Gated(images, gates), 1e-3, 1e-4));
    }

    [Fact]
    public void Judging_ChangesNothing()
    {
        using var network = Tiny("wide-resnet-10-1", dropout: 0.5);
        using var scope = torch.NewDisposeScope();
        var (images, labels) = Batch(1);
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var search = new SaliencySearch(network.Space, 0.5);
        var batch = new SearchBatch(network, images, labels, torch.zeros(labels.shape[0], 3));
        torch.manual_seed(5);
        var expected = torch.rand(1).ToSingle();
        torch.manual_seed(5);
        batch.Run(search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal), 0, batch)));
        Assert.Equal(expected, torch.rand(1).ToSingle());
        Assert.All(network.parameters(), parameter => Assert.Null(parameter.grad));
        Assert.All(network.state_dict(), pair => Assert.True(pair.Value.equal(before[pair.Key]).all().ToBoolean(), pair.Key));
    }

    [Fact]
    public void TheItemsWithoutWhichTheLossGrowsMost_AreLeftOut()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Tiny("resnet8");
        var (images, labels) = Batch(2);
        var batch = new SearchBatch(network, images, labels, network.call(images).detach());
        var gradients = batch.GateGradients();
        using var search = new SaliencySearch(network.Space, 0.5, double.PositiveInfinity);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal), 0, batch));
        Assert.All(subnet.Kept.Zip(gradients), pair =>
            Assert.True(pair.First.Min(item => pair.Second[item]) >= pair.Second.Where((_, item) => !pair.First.Contains(item)).Max()));
        // A sharpness of 0 is the random search, draw for draw.
        using var blunt = new SaliencySearch(network.Space, 0.5, 0);
        using var random = new RandomSearch(network.Space, 0.5);
        Assert.Equal(
            random.Propose(new SearchContext(new SeededRandom(4, RandomUse.Proposal))).Kept,
            blunt.Propose(new SearchContext(new SeededRandom(4, RandomUse.Proposal), 0, batch)).Kept);
    }

    private static ClassifierNetwork Tiny(string name, double dropout = 0)
    {
        var network = NetworkCatalogue.Create(name, 3, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 4, widthMultiplier: 0.25, dropout);
        network.train();
        return network;
    }

    private static (torch.Tensor Images, torch.Tensor Labels) Batch(int seed)
    {
        using var random = new torch.Generator((ulong)seed);
        return (torch.rand([8, 3, 12, 12], generator: random), torch.randint(0, 3, [8], torch.int64, generator: random));
    }

    // In float32 with batch statistics, as the gradient; a gate moves by so much that rounding does not count.
    private static double Loss(ISubnetNetwork network, torch.Tensor images, torch.Tensor labels, int place, int item, double gate)
    {
        using var scope = torch.NewDisposeScope();
        var gates = network.Space.Choices.Select(choice => torch.ones(choice.Items)).ToList();
        gates[place][item] = (float)gate;
        return torch.nn.functional.cross_entropy(network.Gated(images, gates), labels).ToDouble();
    }
}
