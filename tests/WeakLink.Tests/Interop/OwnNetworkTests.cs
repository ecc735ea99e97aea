using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OwnNetwork;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Subnets;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

/// <summary>A family of networks outside of the library (samples/OwnNetwork), trained, measured, exported and read by its name.</summary>
public class OwnNetworkTests
{
    private const string Name = "separable-4";

    public OwnNetworkTests() => NetworkCatalogue.Register(new SeparableFamily());

    [Fact]
    public void TheSample_TrainsMeasuresAndExports()
    {
        using var folder = new TemporaryFolder();
        string[] arguments =
        [
            "shapes", folder["run"], "data.limit=64", "training.epochs=1", "training.batch=16", "training.precision=fp32", "evaluation.corruptions=none", "evaluation.subnets=2",
            "evaluation.subnet-images=32", "evaluation.recalibration-images=32", "evaluation.search-updates=2", "evaluation.attack=pgd", "evaluation.attack-images=10",
        ];
        Assert.Equal(0, typeof(SeparableFamily).Assembly.EntryPoint!.Invoke(null, [arguments]));

        var summary = Summary.Read(folder["run"]);
        Assert.Equal(Name, summary.Model);
        Assert.NotNull(summary.Subnets);
        Assert.Single(summary.Attacks!);
        using var trained = TrainedModel.Load(folder["run"], torch.CPU);
        AssertSame(trained.Network, folder["run/model.onnx"], 32, null, null);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.6)]
    public void Onnx_IsTheNetwork_WholeAndAsASubnet(double? width)
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create(Name, 1);
        using var scope = torch.NewDisposeScope();
        var subnet = width is { } share ? Networks.Random(network, share) : null;
        using var statistics = subnet is null ? null : Networks.Statistics(network, subnet, 24);
        var export = new NetworkExport(network, [.. Enumerable.Range(0, 7).Select(i => $"{i}")], new ImagePreparation(24, 24)) { Subnet = subnet, Statistics = statistics };
        export.WriteOnnx(folder["model.onnx"]);
        AssertSame(network, folder["model.onnx"], 24, subnet, statistics);
        // Of 64 wide channels 39 are kept, in every layer that they pass through: two 1x1 convolutions of 16, a 3x3 one of its own, two batch norms.
        var dropped = subnet is null ? 0 : 4 * (64 - 39) * (16 + 9 + 16 + 4);
        Assert.Equal(network.ParameterCount - dropped, export.ParameterCount);
    }

    [Fact]
    public void Safetensors_AreImportedAgain()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create(Name, 1);
        using var scope = torch.NewDisposeScope();
        new NetworkExport(network, [.. Enumerable.Range(0, 7).Select(i => $"{i}")], new ImagePreparation(32, 32)).WriteSafeTensors(folder["x.safetensors"]);
        using var weights = ImportedWeights.Read(folder["x.safetensors"]);
        Assert.Equal((Name, 7), (weights.Model, weights.Classes));
        using var other = NetworkCatalogue.Create(weights.Model!, 7, weights.Mean!, weights.StandardDeviation!, seed: 9);
        weights.CopyTo(other);
        other.eval();
        var images = Networks.Images(2, 32);
        Assert.Equal(0, Networks.Distance(network.call(images), other.call(images)));
    }

    [Fact]
    public void ASubnet_IsTheNetworkWithoutTheChannelsThatItDrops()
    {
        using var network = Networks.Create(Name, 1);
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var subnet = Networks.Random(network, 0.6);
        var images = Networks.Images(4, 32);
        var gates = network.Space.Choices.Zip(subnet.Kept, (choice, kept) => torch.zeros(choice.Items).index_fill_(0, torch.tensor(kept.ToArray()), 1)).ToList();
        var distance = Networks.Distance(network.forward(images, subnet), network.Gated(images, gates));
        Assert.True(distance < 1e-4, $"{distance:g3}");
    }

    [Fact]
    public void ANetworkThatNobodyRegistered_IsNamedWithARemedy()
    {
        var message = Assert.Throws<InputException>(() => RecipeFile.Parse("model:\n  name: nobodys-4", "checkpoint.safetensors")).Message;
        Assert.StartsWith("checkpoint.safetensors", message, StringComparison.Ordinal);
        Assert.Contains("NetworkCatalogue.Register", message, StringComparison.Ordinal);
    }

    private static void AssertSame(ClassifierNetwork network, string file, int side, Subnet? subnet, SubnetStatistics? statistics)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var session = new InferenceSession(file);
        var images = Networks.Images(3, side);
        var expected = network.forward(images, subnet, statistics);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("images", new DenseTensor<float>(images.data<float>().ToArray(), [3, 3, side, side]))]);
        var actual = torch.tensor(results.Single().AsTensor<float>().ToArray()).reshape(expected.shape);
        var scale = expected.abs().max().ToDouble();
        Assert.True(scale > 0.1, $"the logits are at most {scale:g3}");
        Assert.True(Networks.Distance(actual, expected) < 1e-4, $"{Networks.Distance(actual, expected):g3} of {scale:g3}");
    }
}
