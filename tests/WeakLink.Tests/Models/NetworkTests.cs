using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Models;

public class NetworkTests
{
    private static readonly double[] Mean = [0.5, 0.4, 0.3];
    private static readonly double[] Deviation = [0.25, 0.2, 0.3];

    public NetworkTests()
    {
        NativeLibraries.Load();
        // Inputs are drawn from libtorch's own generator: the same ones, whatever ran before.
        torch.manual_seed(0);
    }

    // The ImageNet networks as in torchvision's documentation; the CIFAR ones as counted by their authors' code or in the papers'
    // tables (Zagoruyko and Komodakis 2016: 36.5M, 2.2M; RobustBench: WRN-34-10 46.2M).
    [Theory]
    [InlineData("resnet18-imagenet", 1000, 11_689_512)]
    [InlineData("resnet34-imagenet", 1000, 21_797_672)]
    [InlineData("resnet50-imagenet", 1000, 25_557_032)]
    [InlineData("resnet101-imagenet", 1000, 44_549_160)]
    [InlineData("resnet18", 10, 11_173_962)]
    [InlineData("resnet34", 10, 21_282_122)]
    [InlineData("resnet50", 10, 23_520_842)]
    [InlineData("preact-resnet18", 10, 11_172_170)]
    [InlineData("wide-resnet-28-10", 10, 36_479_194)]
    [InlineData("wide-resnet-34-10", 10, 46_160_474)]
    [InlineData("wide-resnet-40-2", 10, 2_243_546)]
    public void ParameterCount_IsThePublishedOne(string name, int classes, long expected)
    {
        using var network = Create(name, classes);
        Assert.Equal(expected, network.ParameterCount);
    }

    [Theory]
    [InlineData("resnet18-imagenet", 1.81)]
    [InlineData("resnet50-imagenet", 4.09)]
    public void MultiplyAdds_AreThoseOfTorchvision(string name, double billions)
    {
        using var network = Create(name, 1000);
        Assert.Equal(billions, network.MultiplyAdds(224, 224) / 1e9, 0.005);
    }

    [Theory]
    [InlineData("resnet14", 6)]
    [InlineData("preact-resnet18", 8)]
    [InlineData("wide-resnet-10-1", 3)]
    public void SubnetsMultiplyAdds_AreThoseOfItsFewerFilters(string name, int blocks)
    {
        using var network = Create(name);
        using var search = new RandomSearch(network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal)));
        Assert.Equal(2 * blocks, network.Space.Choices.Count);

        // What a subnet leaves out of a basic block: 9 weights for each pair of a dropped channel and a channel on either side, at every pixel.
        long saved = 0;
        var (size, from) = (32L, network.get_parameter("conv1.weight")!.shape[0]);
        for (var block = 0; block < blocks; block++)
        {
            var inner = network.Space.Choices[(2 * block) + 1].Items;
            size = block > 0 && inner != from ? size / 2 : size;
            saved += 9 * size * size * (inner - subnet.Kept[(2 * block) + 1].Count) * (from + inner);
            from = inner;
        }

        Assert.Equal(network.MultiplyAdds(32, 32) - saved, network.MultiplyAdds(32, 32, subnet));
    }

    [Theory]
    [InlineData("resnet8", true)]
    [InlineData("resnet8", false)]
    [InlineData("preact-resnet18", true)]
    [InlineData("wide-resnet-10-1", false)]
    public void Subnet_EqualsTheFullNetworkWithoutTheInputsItDrops(string name, bool train)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Create(name);
        network.train(train);
        var subnet = Proposal(network, 0.6);
        var images = torch.rand(8, 3, 32, 32);
        var actual = network.forward(images, subnet);

        var second = network.named_parameters().Where(parameter => parameter.name.EndsWith("conv2.weight", StringComparison.Ordinal)).ToList();
        Assert.Equal(network.Space.Choices.Count, 2 * second.Count);
        foreach (var ((_, weight), channels) in second.Zip(Channels(subnet)))
        {
            var dropped = Enumerable.Range(0, (int)weight.shape[1]).Select(i => (long)i).Except(channels).ToArray();
            weight.index_fill_(1, torch.tensor(dropped), 0);
        }

        AssertClose(network.forward(images), actual, 1e-4);
    }

    [Fact]
    public void ChannelsLast_WhichFillsUpKeptChannels_GivesTheSameOutputAndGradients()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Create("resnet8");
        network.train();
        var subnet = Proposal(network, 0.7);
        Assert.Contains(Channels(subnet), channels => channels.Count % 16 != 0);
        var images = torch.rand(8, 3, 32, 32);

        var contiguous = OutputAndGradients(Layout.Contiguous);
        var channelsLast = OutputAndGradients(Layout.ChannelsLast);
        Assert.Equal(contiguous.Count, channelsLast.Count);
        foreach (var (expected, actual) in contiguous.Zip(channelsLast))
        {
            // The layouts round differently, and an activation that rounds to the other side of 0 changes single gradients by far more:
            // as a whole they must agree.
            var error = (actual - expected).norm().ToDouble() / expected.norm().ToDouble();
            Assert.True(error <= 5e-3, $"relative error {error:g3}");
        }

        List<torch.Tensor> OutputAndGradients(Layout layout)
        {
            network.zero_grad();
            network.Format = new ComputeFormat(Precision.Fp32, layout);
            var output = network.forward(images, subnet);
            output.square().mean().backward();
            return [output.detach(), .. network.parameters().Select(parameter => parameter.grad!.clone())];
        }
    }

    [Fact]
    public void Bf16_IsCloseToFp32_AndLogitsStayFp32()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Create("resnet20");
        network.train();
        var images = torch.rand(16, 3, 32, 32);
        var exact = network.forward(images, null);
        network.Format = new ComputeFormat(Precision.Bf16, Layout.Contiguous);
        var rounded = network.forward(images, null);
        Assert.Equal(torch.float32, rounded.dtype);
        // bfloat16 keeps 8 bits; twenty layers of it stay within a few percent.
        AssertClose(exact, rounded, 0.08);
    }

    [Fact]
    public void OnlyTheFullNetworksTrainingPass_MovesRunningAverages()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Create("resnet8");
        network.train();
        var images = torch.rand(8, 3, 32, 32);
        var before = Averages(network);
        network.forward(images, Proposal(network, 0.7));
        using (var statistics = new SubnetStatistics())
        {
            statistics.NextBatch();
            network.forward(images, Proposal(network, 0.7), statistics);
        }

        network.eval();
        network.forward(images);
        Assert.Equal(before, Averages(network));
        network.train();
        network.forward(images);
        Assert.NotEqual(before, Averages(network));
    }

    [Fact]
    public void ReestimatedStatistics_OfOneBatch_GiveThatBatchsTrainingOutput()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Create("resnet8");
        using var statistics = new SubnetStatistics();
        var subnet = Proposal(network, 0.7);
        // Many images: running variance is unbiased, batch variance is not.
        var images = torch.rand(64, 3, 32, 32);
        network.train();
        statistics.NextBatch();
        var training = network.forward(images, subnet, statistics);
        network.eval();
        AssertClose(training, network.forward(images, subnet, statistics), 0.01);
    }

    [Fact]
    public void WithoutItsResidualBranch_ABlockIsItsShortcut()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var random = new torch.Generator(0);
        using var block = new BasicBlock("block", 8, 8, 1, random);
        var images = torch.randn(2, 8, 4, 4);
        torch.Tensor Run(params long[] paths) => block.Run(images, new ForwardPass { Space = new SubnetSpace(block.Choices), Subnet = new Subnet([paths, [0, 1]]) });
        AssertClose(images.relu(), Run(1), 1e-6);
        Assert.False(Run(0).allclose(Run(0, 1)));
    }

    [Theory]
    [InlineData("resnet50-imagenet", "layer1.0.downsample.1.running_var")]
    [InlineData("resnet50-imagenet", "layer4.2.conv3.weight")]
    [InlineData("preact-resnet18", "layer2.0.shortcut.0.weight")]
    [InlineData("wide-resnet-10-1", "block2.layer.0.convShortcut.weight")]
    public void ParameterNames_AreThoseOfThePublishedModels(string network, string parameter)
    {
        using var created = Create(network);
        Assert.Contains(parameter, created.state_dict().Keys);
        Assert.Equal(created.state_dict().Count, created.state_dict().Keys.Distinct().Count());
    }

    [Fact]
    public void MovedNetwork_TrainsTheParametersItRunsWith()
    {
        using var scope = torch.NewDisposeScope();
        using var network = Create("resnet8");
        // A copy in another format and back replaces every parameter object that was not looked up by name.
        network.to(torch.float64).to(torch.float32).train();
        network.forward(torch.rand(4, 3, 32, 32)).sum().backward();
        Assert.All(network.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void ForwardAndBackward_LeaveNoTensorBehind()
    {
        using var network = Create("resnet8");
        network.train();
        Step(network);
        var before = LiveTensors.Before();
        for (var i = 0; i < 3; i++)
        {
            Step(network);
        }

        Assert.Equal(before, LiveTensors.After());

        static void Step(ClassifierNetwork network)
        {
            using var images = torch.rand(4, 3, 32, 32);
            using var full = network.forward(images);
            using var subnet = network.forward(images, Proposal(network, 0.7));
            using var sum = full.add(subnet);
            using var loss = sum.sum();
            loss.backward();
        }
    }

    [Fact]
    public void UnknownNetwork_NamesTheNearest()
    {
        var error = Assert.Throws<InputException>(() => Create("resnet19"));
        Assert.Contains("resnet18", error.Message);
    }

    private static ClassifierNetwork Create(string name, int classes = 10) => NetworkCatalogue.Create(name, classes, Mean, Deviation, 0);

    private static Subnet Proposal(ClassifierNetwork network, double width)
    {
        using var search = new RandomSearch(network.Space, width);
        return search.Propose(new SearchContext(new SeededRandom(1, RandomUse.Proposal)));
    }

    private static IEnumerable<IReadOnlyList<long>> Channels(Subnet subnet) => subnet.Kept.Where((_, place) => place % 2 == 1);

    private static List<float> Averages(ClassifierNetwork network) =>
        [.. network.named_buffers().Where(buffer => buffer.name.Contains("running", StringComparison.Ordinal)).SelectMany(buffer => buffer.buffer.data<float>().ToArray())];

    private static void AssertClose(torch.Tensor expected, torch.Tensor actual, double tolerance)
    {
        var error = (actual - expected).abs().max().ToDouble() / expected.abs().max().ToDouble();
        Assert.True(error <= tolerance, $"relative error {error:g3}");
    }

    [Theory]
    [InlineData("resnet19", ": did you mean resnet1")]
    [InlineData("vit", "'vit'. Choose from")]
    public void AStrangeName_IsTakenForANearOne_AndOtherwiseForNone(string name, string says) =>
        Assert.Contains(says, Assert.Throws<InputException>(() => NetworkCatalogue.ClassifierOf(name)).Message, StringComparison.Ordinal);
}
