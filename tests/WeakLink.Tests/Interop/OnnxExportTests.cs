using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Subnets;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

/// <summary>Exported models against ONNX Runtime, an implementation of the standard that is not ours.</summary>
public class OnnxExportTests
{
    private const double Tolerance = 1e-4;

    // Every family; 0.4 drops one of the two paths of each block.
    public static TheoryData<string, double?> Cases()
    {
        var cases = new TheoryData<string, double?>();
        foreach (var name in new[] { "resnet8", "resnet18", "resnet50", "resnet18-imagenet", "resnet50-imagenet", "preact-resnet18", "preact-resnet50", "wide-resnet-10-1", "wide-resnet-16-2" })
        {
            cases.Add(name, null);
            cases.Add(name, 0.7);
            cases.Add(name, 0.4);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_AreThoseOfTheNetwork_ForAnyBatch(string name, double? width)
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create(name);
        using var scope = torch.NewDisposeScope();
        var side = name.EndsWith("-imagenet", StringComparison.Ordinal) ? 64 : 32;
        var subnet = width is { } share ? Networks.Random(network, share) : null;
        using var statistics = subnet is null ? null : Networks.Statistics(network, subnet, side);
        Export(network, side, subnet, statistics).WriteOnnx(folder["model.onnx"]);

        using var session = new InferenceSession(folder["model.onnx"]);
        foreach (var batch in new[] { 1, 3 })
        {
            using var noGradients = torch.no_grad();
            var images = Networks.Images(batch, side);
            var expected = network.forward(images, subnet, statistics);
            var actual = Run(session, images);
            Assert.Equal([batch, network.Classes], actual.shape);
            var scale = expected.abs().max().ToDouble();
            TestContext.Current.TestOutputHelper?.WriteLine($"{name} {width}: {Networks.Distance(actual, expected):g3} of {scale:g3}");
            Assert.True(scale > 0.1, $"the logits are at most {scale:g3}");
            Assert.True(Networks.Distance(actual, expected) < Tolerance, $"{Networks.Distance(actual, expected):g3} of {scale:g3}");
        }
    }

    [Fact]
    public void Subnet_IsReallySmaller()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet18", 0.5);
        var subnet = Networks.Random(network, 0.5);
        var (whole, part) = (Export(network, 32), Export(network, 32, subnet));
        whole.WriteOnnx(folder["whole.onnx"]);
        part.WriteOnnx(folder["part.onnx"]);
        Assert.Equal(network.ParameterCount, whole.ParameterCount);
        Assert.True(part.ParameterCount < 0.55 * whole.ParameterCount, $"{part.ParameterCount} of {whole.ParameterCount}");
        Assert.True(new FileInfo(folder["part.onnx"]).Length < 0.6 * new FileInfo(folder["whole.onnx"]).Length);
    }

    [Fact]
    public void Model_SaysWhatItIs()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet8", 1);
        Export(network, 24).WriteOnnx(folder["model.onnx"]);
        using var session = new InferenceSession(folder["model.onnx"]);
        Assert.Equal([-1, 3, 24, 24], session.InputMetadata["images"].Dimensions);
        Assert.Equal([-1, 7], session.OutputMetadata["logits"].Dimensions);
        var metadata = session.ModelMetadata;
        Assert.Equal(("WeakLink", "resnet8"), (metadata.ProducerName, metadata.GraphName));
        Assert.Equal(["class 0", "class 1", "class 2", "class 3", "class 4", "class 5", "class 6"], JsonSerializer.Deserialize<string[]>(metadata.CustomMetadataMap["classes"])!);
    }

    // As docs/interop.md checks it: the last 64 bytes are the hash of all but the last 85.
    [Fact]
    public void EveryBit_IsVouchedFor()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet8");
        Export(network, 32).WriteOnnx(folder["model.onnx"]);
        var bytes = File.ReadAllBytes(folder["model.onnx"]);
        var said = System.Text.Encoding.ASCII.GetString(bytes[^64..]);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes.AsSpan(..^85))), said);
        using var session = new InferenceSession(folder["model.onnx"]);
        Assert.Equal(said, session.ModelMetadata.CustomMetadataMap["weaklink.sha256"]);
    }

    [Theory]
    [InlineData("layer2.0.bn1.running_var", float.NaN, "NaN")]
    [InlineData("fc.bias", float.PositiveInfinity, "infinite")]
    [InlineData("bn1.running_var", -1f, "negative variance")]
    public void WhatNoNetworkComputesWith_IsNotExported(string name, float value, string reason)
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet8");
        using (torch.no_grad())
        {
            network.state_dict()[name][0] = value;
        }

        var before = LiveTensors.Before();
        foreach (var write in new Action<NetworkExport>[] { export => export.WriteOnnx(folder["x"]), export => export.WriteSafeTensors(folder["x"]) })
        {
            var message = Assert.Throws<InputException>(() => write(Export(network, 32))).Message;
            Assert.Contains($"'{name}'", message);
            Assert.Contains(reason, message);
            Assert.False(File.Exists(folder["x"]));
        }

        Assert.Equal(before, LiveTensors.After());
    }

    [Fact]
    public void ANetworkWhoseOutputOverflows_IsNotExported()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet8");
        using (torch.no_grad())
        {
            network.state_dict()["bn1.bias"].fill_(1e38f);
        }

        foreach (var write in new Action<NetworkExport>[] { export => export.WriteOnnx(folder["x"]), export => export.WriteSafeTensors(folder["x"]) })
        {
            Assert.Contains("no finite numbers", Assert.Throws<InputException>(() => write(Export(network, 32))).Message, StringComparison.Ordinal);
            Assert.False(File.Exists(folder["x"]));
        }
    }

    [Fact]
    public void TrainingMode_AndTensors_StayAsTheyAre()
    {
        using var folder = new TemporaryFolder();
        using var network = Networks.Create("resnet8");
        Export(network, 32).WriteOnnx(folder["warm.onnx"]);
        network.train();
        var before = LiveTensors.Before();
        Export(network, 32).WriteOnnx(folder["model.onnx"]);
        Assert.Equal(before, LiveTensors.After());
        Assert.True(network.training);
        Assert.Equal(File.ReadAllBytes(folder["warm.onnx"]), File.ReadAllBytes(folder["model.onnx"]));
    }

    private static NetworkExport Export(ClassifierNetwork network, int side, Subnet? subnet = null, SubnetStatistics? statistics = null) =>
        new(network, [.. Enumerable.Range(0, network.Classes).Select(number => $"class {number}")], new ImagePreparation(side, side)) { Subnet = subnet, Statistics = statistics };

    private static torch.Tensor Run(InferenceSession session, torch.Tensor images)
    {
        var input = new DenseTensor<float>(images.data<float>().ToArray(), [.. images.shape.Select(length => (int)length)]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("images", input)]);
        var logits = results.Single().AsTensor<float>();
        return torch.tensor(logits.ToArray()).reshape([.. logits.Dimensions.ToArray().Select(length => (long)length)]);
    }
}
