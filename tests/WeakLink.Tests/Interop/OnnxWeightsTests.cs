using System.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

public sealed class OnnxWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;

    public OnnxWeightsTests()
    {
        WeakLink.Runtime.NativeLibraries.Load();
        _scope = torch.NewDisposeScope();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("resnet8")]
    [InlineData("resnet18-imagenet")]
    [InlineData("resnet50-imagenet")]
    [InlineData("preact-resnet18")]
    [InlineData("wide-resnet-10-2")]
    public void Graph_GivesTheSameNetwork_WhateverItsNames(string name)
    {
        using var network = Networks.Create(name);
        var file = Anonymous(network);
        using var weights = ImportedWeights.Read(file);
        Assert.Equal(7, weights.Classes);
        Assert.Null(weights.Model);
        Assert.Equal(Networks.Mean, weights.Mean!);
        Assert.Equal(Networks.Deviation, weights.StandardDeviation!);
        using var other = Create(name);
        weights.CopyTo(other);
        using var noGradients = torch.no_grad();
        Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 64)), other.call(Networks.Images(2, 64))));
    }

    [Fact]
    public void OwnExport_SaysWhatItIs()
    {
        using var network = Networks.Create("resnet8");
        new NetworkExport(network, [.. Enumerable.Range(0, 7).Select(i => $"class {i}")], new ImagePreparation(32, 32)).WriteOnnx(_folder["x.onnx"]);
        using var weights = ImportedWeights.Read(_folder["x.onnx"]);
        Assert.Equal("resnet8", weights.Model);
        Assert.Equal("class 3", weights.ClassNames![3]);
        File.WriteAllBytes(_folder["x.onnx"], [.. File.ReadAllBytes(_folder["x.onnx"]).Select((value, at) => at == 200 ? (byte)(value ^ 1) : value)]);
        Assert.Throws<InputException>(() => ImportedWeights.Read(_folder["x.onnx"]));
    }

    [Fact]
    public void AnotherNetworksGraph_IsRefused()
    {
        // The same convolutions; the shortcuts read what precedes the norm.
        using var network = Networks.Create("resnet18");
        using var weights = ImportedWeights.Read(Anonymous(network));
        using var other = Create("resnet18-imagenet");
        Assert.Contains("of another architecture than resnet18-imagenet", Assert.Throws<InputException>(() => weights.CopyTo(other)).Message);
    }

    [Fact]
    public void FoldedBatchNorms_AreRefused()
    {
        using var network = Networks.Create("resnet8");
        File.WriteAllBytes(_folder["x.onnx"], Folded(network));
        using var weights = ImportedWeights.Read(_folder["x.onnx"]);
        using var other = Create("resnet8");
        Assert.Contains("batch norms are folded into its convolutions", Assert.Throws<InputException>(() => weights.CopyTo(other)).Message);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(300)]
    [InlineData(4000)]
    public void PartOfAFile_IsASentence(int bytes)
    {
        using var network = Networks.Create("resnet8");
        File.WriteAllBytes(_folder["x.onnx"], File.ReadAllBytes(Anonymous(network))[..bytes]);
        Assert.Contains("'" + _folder["x.onnx"] + "' is refused: ", Assert.Throws<InputException>(() => ImportedWeights.Read(_folder["x.onnx"])).Message);
    }

    // The features that ONNX Runtime computes from the published file, and those of WeakLink's network with the weights, where the package was restored.
    [Fact]
    public void PublishedFeatures_AreTheNetworks()
    {
        var file = PublishedWeights.File();
        var recipe = PretrainedWeights.Resolve(new() { Model = new() { Name = "auto", Weights = "resnet20-imagenet" } });
        Assert.Equal("resnet20-imagenet", recipe.Model.Name);
        // Not the 1/255 of its images in levels: its first convolution is scaled instead, and moves at a usual rate.
        Assert.Equal([0.229, 0.224, 0.225], recipe.Model.StandardDeviation);
        const int Features = 512, Side = 224;
        using var network = NetworkCatalogue.Create(recipe.Model.Name, Features, recipe.Model.Mean, recipe.Model.StandardDeviation);
        using var weights = PretrainedWeights.Open(recipe.Model);
        var taken = weights.CopyTo(network, [.. Enumerable.Range(0, Features).Select(i => $"{i}")]);
        Assert.Equal(["fc.weight", "fc.bias"], taken.New);
        Assert.Empty(taken.Left);
        using var noGradients = torch.no_grad();
        network.get_parameter("fc.weight")!.copy_(torch.eye(Features));
        network.get_parameter("fc.bias")!.zero_();
        network.eval();
        var images = Networks.Images(1, Side);
        var ours = network.call(images);

        // Blue, green, red, in levels of 0 to 255, less the mean.
        var theirs = ((images * 255) - (torch.tensor(recipe.Model.Mean.ToArray()).reshape(1, 3, 1, 1) * 255)).flip(1).to(torch.float32).contiguous();
        using var session = new InferenceSession(file);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("Input247", new DenseTensor<float>(theirs.data<float>().ToArray(), [1, 3, Side, Side]))]);
        var expected = torch.tensor(results[0].AsTensor<float>().ToArray()).reshape(1, Features);
        Assert.True(expected.abs().max().ToDouble() > 1);
        Assert.True(Networks.Distance(expected, ours) < 1e-3 * expected.abs().max().ToDouble());
    }

    private static ClassifierNetwork Create(string name) => NetworkCatalogue.Create(name, 7, Networks.Mean, Networks.Deviation, seed: 77, widthMultiplier: 0.125).Evaluating();

    // Every name of a tensor and of WeakLink is another one of the same length.
    private string Anonymous(ClassifierNetwork network)
    {
        new NetworkExport(network, [.. Enumerable.Range(0, 7).Select(i => $"{i}")], new ImagePreparation(64, 64)).WriteOnnx(_folder["named.onnx"]);
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(_folder["named.onnx"]));
        foreach (var (name, other) in new[] { ("weight", "Constx"), ("bias", "Parm"), ("conv", "node"), (".bn", ".x_"), ("layer", "stage"), ("running_", "average_"), ("model", "modul"), ("classes", "clxsses"), ("weaklink.sha256", "somebody.sha256") })
        {
            text = text.Replace(name, other, StringComparison.Ordinal);
        }

        File.WriteAllBytes(_folder["x.onnx"], Encoding.Latin1.GetBytes(text));
        return _folder["x.onnx"];
    }

    // As exporters fold: a convolution with shifts takes the place of each convolution and its batch norm.
    private static byte[] Folded(ClassifierNetwork network)
    {
        using var trace = network.Trace(32, 32);
        var graph = new ProtobufMessage();
        var names = new Dictionary<int, string> { [0] = "images" };
        var tensors = 0;
        foreach (var operation in trace.Operations)
        {
            if (operation.Operator == "BatchNormalization")
            {
                names[operation.Output] = names[operation.Inputs[0]];
                continue;
            }

            var output = names[operation.Output] = $"value {operation.Output}";
            var node = new ProtobufMessage();
            foreach (var input in operation.Inputs)
            {
                node.Add(1, names[input]);
            }

            foreach (var value in operation.Parameters.Select(parameter => parameter.Value).Concat(operation.Operator == "Conv" ? [torch.zeros(operation.Parameters[0].Value.shape[0])] : []))
            {
                var tensor = value.shape.Aggregate(new ProtobufMessage(), (message, length) => message.Add(1, length)).Add(2, 1L).Add(8, $"tensor {tensors}").Add(9, value.bytes.ToArray());
                graph.Add(5, tensor);
                node.Add(1, $"tensor {tensors++}");
            }

            node.Add(2, output).Add(4, operation.Operator);
            foreach (var (name, value) in operation.Attributes)
            {
                var attribute = new ProtobufMessage().Add(1, name);
                node.Add(5, value is long[] numbers ? numbers.Aggregate(attribute, (message, number) => message.Add(8, number)) : attribute.Add(3, (long)value));
            }

            graph.Add(1, node);
        }

        graph.Add(11, new ProtobufMessage().Add(1, "images")).Add(12, new ProtobufMessage().Add(1, names[trace.Operations.Count]));
        using var stream = new MemoryStream();
        new ProtobufMessage().Add(1, 8L).Add(7, graph).WriteTo(stream);
        return stream.ToArray();
    }
}

/// <summary>The weights that a NuGet package brings.</summary>
internal static class PublishedWeights
{
    /// <summary>The file; a test that asks for it is skipped where it can't be restored.</summary>
    public static string File()
    {
        var known = KnownWeights.All[0];
        try
        {
            return known.Find();
        }
        catch (InputException)
        {
            using var restore = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", ["restore", Path.Combine(Repository.Path, "samples", "FineTune")]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            restore.OutputDataReceived += (_, _) => { };
            restore.BeginOutputReadLine();
            Assert.SkipUnless(restore.WaitForExit(TimeSpan.FromMinutes(2)) && restore.ExitCode == 0, $"the package {known.Package} can't be restored here");
            return known.Find();
        }
    }

    /// <summary>A network in evaluation mode.</summary>
    public static ClassifierNetwork Evaluating(this ClassifierNetwork network)
    {
        network.eval();
        return network;
    }
}
