using TorchSharp;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Subnets;

public class SubnetStatisticsTests
{
    public SubnetStatisticsTests() => NativeLibraries.Load();

    [Fact]
    public void StatisticsOfNothing_AreRefused()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Networks.Create("resnet8");
        network.eval();
        using var noGradients = torch.no_grad();
        var (images, subnet) = (torch.rand(4, 3, 8, 8), Networks.Random(network, 0.7));
        var statistics = new SubnetStatistics();
        Assert.Throws<InvalidOperationException>(() => network.forward(images, subnet, statistics));
        network.train();
        statistics.NextBatch();
        network.forward(images, subnet, statistics);
        network.eval();
        network.forward(images, subnet, statistics);
        statistics.Dispose();
        Assert.Throws<ObjectDisposedException>(() => network.forward(images, subnet, statistics));
    }

    // Of the whole network, too, they are gathered beside its running averages.
    [Fact]
    public void StatisticsOfTheWholeNetwork_LeaveItsAverages()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Networks.Create("resnet8");
        using var noGradients = torch.no_grad();
        var images = torch.rand(4, 3, 8, 8);
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var statistics = new SubnetStatistics();
        statistics.NextBatch();
        var trained = network.forward(images, null, statistics);
        Assert.All(network.state_dict(), pair => Assert.True(pair.Value.equal(before[pair.Key]).all().item<bool>(), pair.Key));
        network.eval();
        // One batch: its own statistics, but for the variance's divisor.
        Assert.True(Networks.Distance(trained, network.forward(images, null, statistics)) < Networks.Distance(trained, network.forward(images)));
    }
}
