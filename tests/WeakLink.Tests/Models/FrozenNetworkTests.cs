using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Models;

public class FrozenNetworkTests
{
    private const int Images = 1000;
    private static readonly double[] Mean = [0.5, 0.4, 0.3];
    private static readonly double[] Deviation = [0.25, 0.2, 0.3];

    public FrozenNetworkTests() => NativeLibraries.Load();

    [Theory]
    [InlineData("resnet8")]
    [InlineData("resnet50")]
    [InlineData("preact-resnet18")]
    [InlineData("wide-resnet-10-1")]
    public void Predictions_AreTheNetworks(string name)
    {
        using var network = Trained(name);
        foreach (var layout in new[] { Layout.Contiguous, Layout.ChannelsLast })
        {
            RequireAlike(network, new ComputeFormat(Precision.Fp32, layout), null, null);
        }
    }

    [Theory]
    [InlineData("resnet8", 0.5)]
    [InlineData("resnet8", 0.7)]
    [InlineData("resnet50", 0.7)]
    public void Subnets_AreFrozenWithTheirStatistics(string name, double width)
    {
        using var network = Trained(name);
        using var search = new RandomSearch(network.Space, width);
        var subnet = search.Propose(new SearchContext(new SeededRandom(3, RandomUse.SubnetEvaluation)));
        RequireAlike(network, new ComputeFormat(Precision.Fp32, Layout.ChannelsLast), subnet, null);
        using var statistics = new SubnetStatistics();
        network.train();
        using (torch.no_grad())
        using (var images = Noise(64))
        {
            statistics.NextBatch();
            network.forward(images, subnet, statistics).Dispose();
        }

        network.eval();
        RequireAlike(network, new ComputeFormat(Precision.Fp32, Layout.ChannelsLast), subnet, statistics);
        using var part = new SubnetNetwork(Trained(name), subnet, null);
        RequireAlike(part, new ComputeFormat(Precision.Fp32, Layout.ChannelsLast), null, null);
    }

    private static void RequireAlike(ClassifierNetwork network, ComputeFormat format, Subnet? subnet, SubnetStatistics? statistics)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var frozen = FrozenNetwork.Of(network, format, 16, 16, subnet, statistics);
        Assert.NotNull(frozen);
        var images = Noise(Images);
        var before = images.clone();
        var (exact, logits) = (network.forward(images, subnet, statistics), frozen.Classify(images));
        Assert.True(images.equal(before).all().ToBoolean());
        Assert.Equal(torch.float32, logits.dtype);
        // Less what all images have in common, so that random weights tell the images apart.
        var common = exact.mean([0]);
        var (its, mine) = ((exact - common).argmax(1), (logits - common).argmax(1));
        Assert.InRange(its.ne(mine).sum().ToInt64(), 0, Images / 1000);
        Assert.InRange((exact - logits).abs().max().ToDouble() / exact.abs().max().ToDouble(), 0, 1e-4);
        Assert.InRange(its.unique().output.shape[0], 5, 10);
    }

    // Weights and statistics that a training could have left.
    private static ClassifierNetwork Trained(string name)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(5);
        var network = NetworkCatalogue.Create(name, 10, Mean, Deviation, 1, widthMultiplier: 0.25);
        foreach (var norm in network.modules().OfType<BatchNorm>())
        {
            foreach (var (values, least, most) in new (torch.Tensor, double, double)[] { (norm.get_parameter("weight")!, 0.5, 1.5), (norm.get_parameter("bias")!, -0.3, 0.3), (norm.get_buffer("running_mean")!, -0.5, 0.5), (norm.get_buffer("running_var")!, 0.5, 2) })
            {
                values.copy_((torch.rand(values.shape, generator: generator) * (most - least)) + least);
            }
        }

        network.eval();
        return network;
    }

    private static torch.Tensor Noise(int count)
    {
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(7);
        // Of differing colours, so that they are of differing classes.
        return ((torch.rand([count, 3, 16, 16], generator: generator) * 0.3) + (torch.rand([count, 3, 1, 1], generator: generator) * 0.7)).MoveToOuterDisposeScope();
    }
}
