using System.Text.Json;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;
using WeakLink.Training;

namespace WeakLink.Tests.Runs;

public sealed class CheckpointTests : IDisposable
{
    private static readonly string[] Classes = [.. "abcdefg".Select(letter => $"{letter}")];

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;

    public CheckpointTests()
    {
        WeakLink.Runtime.NativeLibraries.Load();
        _scope = torch.NewDisposeScope();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void WhatCouldNotBeLoaded_IsNotSaved()
    {
        using var network = Networks.Create("resnet8");
        var open = new Recipe();
        var recipe = open.With(["model.mean=0.5,0.5,0.5", "model.standard-deviation=0.25,0.25,0.25"]);
        Assert.Throws<ArgumentException>(() => Checkpoint.Save(_folder["x"], network, null, null, open, Classes, new ImageSize(32, 32), new RunPosition()));
        Assert.Throws<ArgumentException>(() => Checkpoint.Save(_folder["x"], network, null, null, recipe, Classes[1..], new ImageSize(32, 32), new RunPosition()));
        Assert.False(File.Exists(_folder["x"]));
    }

    // Weights, averages, recipe, classes, size and position: whatever a number rests on.
    [Fact]
    public void EveryBitOfTheHeader_IsVouchedFor()
    {
        var path = Saved();
        var bytes = File.ReadAllBytes(path);
        var header = 8 + (int)BitConverter.ToInt64(bytes);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
        for (var at = 0; at < header; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                Put(at, (byte)(bytes[at] ^ (1 << bit)));
                var message = Assert.Throws<InputException>(() => Checkpoint.Load(path)).Message;
                Assert.Contains(path, message, StringComparison.Ordinal);
            }

            Put(at, bytes[at]);
        }

        Checkpoint.Load(path).Dispose();

        void Put(int at, byte value)
        {
            file.Position = at;
            file.WriteByte(value);
        }
    }

    [Fact]
    public void BitsOfTheTensors_AreVouchedFor()
    {
        var path = Saved();
        var bytes = File.ReadAllBytes(path);
        var header = 8 + (int)BitConverter.ToInt64(bytes);
        for (var at = header; at < bytes.Length; at += 997)
        {
            var changed = (byte[])bytes.Clone();
            changed[at] ^= 1;
            File.WriteAllBytes(path, changed);
            Assert.Contains("checksum", Assert.Throws<InputException>(() => Checkpoint.Load(path)).Message);
        }
    }

    [Theory]
    [InlineData("recipe", "", "normalisation")]
    [InlineData("recipe", null, "recipe")]
    [InlineData("recipe", "model: {name: resnet8, width-multiplier: 63, mean: [0, 0, 0], standard-deviation: [1, 1, 1]}", "the network more than")]
    [InlineData("recipe", "model: {name: wide-resnet-994-64, mean: [0, 0, 0], standard-deviation: [1, 1, 1]}", "the network more than")]
    [InlineData("recipe", "model: {name: resnet8, width-multiplier: 0.125, mean: [123, 116, 103], standard-deviation: [1, 1, 1]}", "divide means")]
    [InlineData("classes", "null", "holds null")]
    [InlineData("classes", "[]", "no classes")]
    [InlineData("classes", null, "classes")]
    [InlineData("classes", "[null,\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]", "holds null")]
    [InlineData("classes", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"a\"]", "classes 0 and 6")]
    [InlineData("classes", "{\"a\":1}", "classes")]
    [InlineData("classes", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "classes")]
    [InlineData("size", "null", "size")]
    [InlineData("size", "{\"height\":0,\"width\":32}", "size")]
    [InlineData("size", "{\"height\":32,\"width\":2000000000}", "size")]
    [InlineData("position", "null", "position")]
    [InlineData("position", "{\"epoch\":-1}", "position")]
    public void WhatSomebodySent_IsASentence(string key, string? value, string reason)
    {
        var path = Saved();
        var (tensors, metadata) = SafeTensors.Read(path);
        metadata.Remove(key);
        if (value is not null)
        {
            metadata.Add(key, value);
        }

        SafeTensors.Write(path, tensors, metadata);
        var message = Assert.Throws<InputException>(() => TrainedModel.Load(path, torch.CPU)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutChecksum_IsRefused()
    {
        var path = Saved();
        var (tensors, metadata) = SafeTensors.Read(path);
        var header = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["__metadata__"] = metadata, ["fc.bias"] = new { dtype = "F32", shape = new[] { 7 }, data_offsets = new[] { 0, 28 } } });
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. tensors["fc.bias"].bytes]);
        Assert.Contains("checksum is missing", Assert.Throws<InputException>(() => Checkpoint.Load(path)).Message);
    }

    [Theory]
    [InlineData("layer1.0.bn1.running_var", float.NaN, "NaN")]
    [InlineData("fc.weight", float.NegativeInfinity, "infinite")]
    [InlineData("bn1.running_var", -0.5f, "negative variance -0.5")]
    [InlineData("optimizer.momentum.fc.bias", float.NaN, "NaN")]
    [InlineData("standard_deviation", 58.395f, "divide deviations")]
    [InlineData("mean", 123.675f, "divide means")]
    public void WhatNoNetworkComputesWith_IsFoundAtLoad(string name, float value, string reason)
    {
        var path = Saved();
        var (tensors, metadata) = SafeTensors.Read(path);
        tensors.TryAdd(name, torch.zeros(7));
        tensors[name].reshape(-1)[0] = value;
        SafeTensors.Write(path, tensors, metadata);
        var message = Assert.Throws<InputException>(() => Checkpoint.Load(path)).Message;
        Assert.Contains($"'{name}'", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    // As float32 it would be infinite; of another shape it would end in libtorch.
    [Fact]
    public void TensorsThatDoNotFit_AreNamed()
    {
        var path = Saved();
        var (tensors, metadata) = SafeTensors.Read(path);
        using var network = Networks.Create("resnet8");
        using var optimizer = new MomentumSgd(network.parameters(), 0.1, 0.9, 0, nesterov: true);
        SafeTensors.Write(path, new Dictionary<string, torch.Tensor>(tensors) { ["fc.bias"] = torch.full([7], 1e39, torch.float64) }, metadata);
        using (var wide = Checkpoint.Load(path))
        {
            Assert.Contains("'fc.bias' is 7 (Float64) instead of 7 (Float32)", Assert.Throws<InputException>(() => wide.RestoreNetwork(network)).Message);
        }

        SafeTensors.Write(path, new Dictionary<string, torch.Tensor>(tensors) { ["optimizer.momentum.fc.bias"] = torch.zeros(3) }, metadata);
        using var other = Checkpoint.Load(path);
        Assert.Contains("the momentum of 'fc.bias' is 3 (Float32) instead of 7", Assert.Throws<InputException>(() => other.Restore(network, optimizer, null)).Message);
    }

    [Fact]
    public void DivergedTraining_IsNotSaved_AndWhatWasThereStays()
    {
        var path = Saved();
        var before = File.ReadAllBytes(path);
        using var network = Networks.Create("resnet8");
        using (torch.no_grad())
        {
            network.state_dict()["bn1.running_var"].fill_(float.NaN);
        }

        Assert.Contains("'bn1.running_var'", Assert.Throws<InputException>(() => Checkpoint.Save(path, network, null, null, Recipe, Classes, new ImageSize(32, 32), new RunPosition())).Message);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    private static Recipe Recipe { get; } = new()
    {
        Model = new() { Name = "resnet8", WidthMultiplier = 0.125, Mean = Networks.Mean, StandardDeviation = Networks.Deviation },
    };

    private string Saved()
    {
        using var network = Networks.Create("resnet8");
        Checkpoint.Save(_folder["x.safetensors"], network, null, null, Recipe, Classes, new ImageSize(32, 32), new RunPosition());
        return _folder["x.safetensors"];
    }
}
