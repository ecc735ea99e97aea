using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

public class SafeTensorsExportTests
{
    [Theory]
    [InlineData("resnet18-imagenet", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.num_batches_tracked", "fc.bias")]
    [InlineData("preact-resnet18", "layer2.0.shortcut.0.weight", "bn.running_var", "linear.weight")]
    [InlineData("wide-resnet-10-2", "block1.layer.0.convShortcut.weight", "bn1.running_mean", "fc.weight")]
    public void Names_AreThoseOfPyTorch_AndComeBack(string name, params string[] some)
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create(name);
        using var scope = torch.NewDisposeScope();
        new NetworkExport(network, [.. "abcdefg".Select(letter => $"{letter}")], new ImagePreparation(32, 32)).WriteSafeTensors(folder["a.safetensors"]);

        var names = network.state_dict().Keys.Where(key => key is not ("mean" or "standard_deviation"));
        var (tensors, metadata) = SafeTensors.Read(folder["a.safetensors"]);
        Assert.Equal(names.Order(), tensors.Keys.Order());
        Assert.All(some, key => Assert.Contains(key, tensors.Keys));
        Assert.Equal(name, metadata["model"]);

        using var weights = ImportedWeights.Read(folder["a.safetensors"]);
        Assert.Equal((name, 7, "abcdefg", 32, 32, false), (weights.Model, weights.Classes, string.Concat(weights.ClassNames!), weights.Preparation!.Height, weights.Preparation.Width, weights.IsSubnet));
        using var other = WeakLink.Models.NetworkCatalogue.Create(name, 7, weights.Mean!, weights.StandardDeviation!, seed: 99, widthMultiplier: 0.125);
        weights.CopyTo(other);
        other.eval();
        using var noGradients = torch.no_grad();
        Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 32)), other.call(Networks.Images(2, 32))));
    }

    [Fact]
    public void Subnet_HasTheChannelsThatItKeeps()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet50");
        using var scope = torch.NewDisposeScope();
        var subnet = Networks.Random(network, 0.7);
        new NetworkExport(network, [.. "abcdefg".Select(letter => $"{letter}")], new ImagePreparation(32, 32)) { Subnet = subnet }.WriteSafeTensors(folder["part.safetensors"]);
        var (tensors, _) = SafeTensors.Read(folder["part.safetensors"]);
        var kept = network.Space.Choices[1].Kept(0.7);
        Assert.Equal([kept, kept], new[] { tensors["layer1.0.conv1.weight"].shape[0], tensors["layer1.0.conv2.weight"].shape[1] });
        Assert.Equal([kept], tensors["layer1.0.bn1.running_var"].shape);
        using var weights = ImportedWeights.Read(folder["part.safetensors"]);
        Assert.Contains("subnets can't be imported", Assert.Throws<InputException>(() => weights.CopyTo(network)).Message);
    }
}
