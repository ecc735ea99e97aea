using System.Text.Json;
using TorchSharp;
using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Tests.Models;

/// <summary>Outputs and gradients of every block against those of the EWS authors' code.</summary>
public class ReferenceBlockTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, bool, bool> Cases()
    {
        var cases = new TheoryData<string, bool, bool>();
        foreach (var name in new[] { "basic_cifar_s1", "basic_cifar_s2", "bottleneck_cifar_s1", "bottleneck_cifar_s2", "preact_s1", "preact_s2", "preact_bottleneck_s2", "wide_s1", "wide_s2" })
        {
            foreach (var train in new[] { true, false })
            {
                cases.Add(name, train, false);
                cases.Add(name, train, true);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void OutputAndGradients_EqualThePublishedOnes(string name, bool train, bool asSubnet)
    {
        using var scope = torch.NewDisposeScope();
        var folder = Reference.Path($"ews-blocks/{name}");
        using var block = Load(name, folder);
        block.train(train);
        var kept = ReferenceArray.Read(Path.Combine(folder, "active_channels.npy")).to(torch.int64).data<long>().ToArray();
        var input = ReferenceArray.Read(Path.Combine(folder, "input.npy")).requires_grad_(true);

        var output = block.Run(input, new ForwardPass { Space = new SubnetSpace(block.Choices), Subnet = asSubnet ? new Subnet([[0, 1], kept]) : null });
        var count = output.numel();
        (output.reshape(-1) * torch.arange(count, dtype: torch.float32) / count).sum().backward();

        var which = $"{(train ? "train" : "eval")}_{(asSubnet ? "subnet" : "full")}.npy";
        AssertClose(Path.Combine(folder, "output_" + which), output);
        AssertClose(Path.Combine(folder, "grad_input_" + which), input.grad!);
        AssertClose(Path.Combine(folder, "grad_conv1_" + which), block.get_parameter("conv1.weight")!.grad!);
        AssertClose(Path.Combine(folder, "grad_conv2_" + which), block.get_parameter("conv2.weight")!.grad!);
    }

    private static ResidualBlock Load(string name, string folder)
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Reference.Path("ews-blocks/cases.json")));
        var sizes = cases.RootElement.GetProperty(name);
        var (from, planes, stride) = (sizes.GetProperty("in_channels").GetInt32(), sizes.GetProperty("planes").GetInt32(), sizes.GetProperty("stride").GetInt32());
        using var random = new torch.Generator(1);
        ResidualBlock block = name switch
        {
            ['b', 'a', ..] => new BasicBlock(name, from, planes, stride, random),
            ['b', 'o', ..] => new Bottleneck(name, from, planes, stride, random),
            "preact_bottleneck_s2" => new PreActBottleneck(name, from, planes, stride, random),
            ['p', ..] => new PreActBlock(name, from, planes, stride, random),
            _ => new WideBlock(name, from, planes, stride, 0, random),
        };

        using var noGradients = torch.no_grad();
        foreach (var (key, tensor) in block.state_dict())
        {
            if (!key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            {
                // The CIFAR ResNets of the authors call "shortcut" what torchvision, and WeakLink, call "downsample".
                tensor.copy_(ReferenceArray.Read(Path.Combine(folder, key.Replace("downsample", "shortcut", StringComparison.Ordinal) + ".npy")));
            }
        }

        return block;
    }

    private static void AssertClose(string path, torch.Tensor actual)
    {
        var expected = ReferenceArray.Read(path);
        Assert.Equal(expected.shape, actual.shape);
        var error = (actual.detach() - expected).abs().max().ToDouble() / expected.abs().max().ToDouble();
        Assert.True(error < Tolerance, $"{Path.GetFileName(path)}: relative error {error:g3}");
    }
}
