using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Models;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Models;

public class SubnetNetworkTests
{
    [Fact]
    public void InThePlaceOfItsNetwork_ASubnetIsMeasured()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        using var network = Networks.Create("resnet8", 0.5);
        var subnet = Networks.Random(network, 0.6);
        using var statistics = Networks.Statistics(network, subnet, 32);
        using var part = new SubnetNetwork(network, subnet, statistics);
        var images = Networks.Images(4, 32);
        Assert.Equal((network.Name, network.Classes), (part.Name, part.Classes));
        Assert.Equal(0, Networks.Distance(network.forward(images, subnet, statistics), part.call(images)));
        Assert.NotEqual(0, Networks.Distance(network.call(images), part.call(images)));
        // An attack goes through the subnet's own gradients.
        using var enabled = torch.enable_grad();
        var variable = images.clone().requires_grad_();
        var expected = torch.autograd.grad([network.forward(variable, subnet, statistics).sum()], [variable])[0];
        Assert.Equal(0, Networks.Distance(expected, new AttackedModel(part).Gradient(images, logits => logits.sum(1)).Gradient));
        // What an interrupted attack remembers the network by tells subnets apart.
        Assert.NotEqual(
            Kept(part),
            Kept(new SubnetNetwork(network, Networks.Random(network, 0.6, seed: 2), statistics)));

        static IEnumerable<long> Kept(torch.nn.Module module) => module.buffers().Where(buffer => buffer.dtype == torch.int64 && buffer.dim() == 1).SelectMany(buffer => buffer.data<long>().ToArray());
    }
}
