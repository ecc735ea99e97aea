using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Models;

/// <summary>What the base does for every network.</summary>
public class ClassifierNetworkTests
{
    private static readonly double[] Mean = [0.5, 0.4, 0.3];
    private static readonly double[] Deviation = [0.25, 0.2, 0.3];

    public ClassifierNetworkTests() => NativeLibraries.Load();

    [Fact]
    public void Images_AreNormalisedInFloat32_AndRoundedOnce()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new Probe();
        // All grey levels, which bfloat16 does not hold.
        var images = (torch.arange(256, dtype: torch.float32) / 255).view(1, 1, 16, 16).expand(2, 3, 16, 16).contiguous();
        var exact = (images - torch.tensor(Mean, torch.float32).view(1, 3, 1, 1)) / torch.tensor(Deviation, torch.float32).view(1, 3, 1, 1);
        foreach (var layout in new[] { Layout.Contiguous, Layout.ChannelsLast })
        {
            network.Format = new ComputeFormat(Precision.Bf16, layout);
            network.call(images);
            Assert.True(network.Seen!.equal(exact.to(torch.bfloat16)).all().ToBoolean());
            Assert.Equal(layout == Layout.ChannelsLast ? 1 : 256, network.Seen!.stride(1));
        }

        // One rounding moves no value by more than half of bfloat16's last digit; through bfloat16 images it would.
        var twice = (images.to(torch.bfloat16).to(torch.float32) - torch.tensor(Mean, torch.float32).view(1, 3, 1, 1)) / torch.tensor(Deviation, torch.float32).view(1, 3, 1, 1);
        Assert.True((network.Seen!.to(torch.float32) - exact).abs().max().ToDouble() < (twice.to(torch.bfloat16).to(torch.float32) - exact).abs().max().ToDouble());
    }

    [Fact]
    public void Gradients_ReachTheImages_WhateverTheFormat()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new Probe { Format = new ComputeFormat(Precision.Bf16, Layout.ChannelsLast) };
        var images = torch.rand(2, 3, 4, 4).requires_grad_();
        var gradient = torch.autograd.grad([network.call(images).sum()], [images])[0];
        Assert.Equal(torch.float32, gradient.dtype);
        // The logits are means over 16 pixels of what was divided by the deviation.
        Assert.Equal(1 / (16 * Deviation[1]), gradient[1, 1, 2, 3].ToDouble(), 1e-2);
    }

    [Fact]
    public void UnitsAreDropped_WhereTheNetworkLearns()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new Probe();
        var images = torch.rand(2, 3, 4, 4);
        bool Drops(Action run)
        {
            run();
            return network.Pass!.Dropout;
        }

        network.train();
        Assert.True(Drops(() => network.call(images)));
        Assert.True(Drops(() => network.forward(images, new Subnet([[0]]))));
        Assert.False(Drops(() => network.Gated(images, [torch.ones(2)])));
        using (torch.no_grad())
        {
            Assert.False(Drops(() => network.call(images)));
        }

        network.eval();
        Assert.False(Drops(() => network.call(images)));
    }

    [Fact]
    public void WhatIsNotTraced_IsNotExported()
    {
        using var network = new Probe();
        Assert.Contains("ForwardPass.Traced", Assert.Throws<InputException>(() => network.Trace(4, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SubnetsOfAnotherNetwork_AreRefused()
    {
        using var network = new Probe();
        using var images = torch.rand(1, 3, 4, 4);
        Assert.Throws<ArgumentException>(() => network.forward(images, new Subnet([])));
        Assert.Throws<ArgumentException>(() => network.forward(images, new Subnet([[2]])));
    }

    // Means of the channels as logits.
    private sealed class Probe() : ClassifierNetwork(new NetworkSettings { Name = "probe", Classes = 3, Mean = Mean, StandardDeviation = Deviation })
    {
        public torch.Tensor? Seen { get; private set; }

        public ForwardPass? Pass { get; private set; }

        public override SubnetSpace Space { get; } = new([new Choice("probe.channels", 2)]);

        protected internal override torch.Tensor Run(torch.Tensor images, ForwardPass pass)
        {
            (Seen, Pass) = (images.alias().DetachFromDisposeScope(), pass);
            return images.mean([2, 3], type: torch.float32);
        }
    }
}
