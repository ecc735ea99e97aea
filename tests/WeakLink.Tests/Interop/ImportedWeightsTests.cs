using TorchSharp;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

public sealed class ImportedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;

    public ImportedWeightsTests()
    {
        WeakLink.Runtime.NativeLibraries.Load();
        _scope = torch.NewDisposeScope();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string, string, string> Dialects() => new()
    {
        { "resnet18-imagenet", "", "torchvision" },
        { "resnet18", "module.", "robustbench" },
        { "resnet50", "", "ews" },
        { "resnet34-imagenet", "module.", "ews" },
        { "preact-resnet18", "model.", "robustbench" },
        { "preact-resnet50", "", "ews" },
        { "wide-resnet-10-2", "module.model.", "robustbench" },
        { "wide-resnet-16-1", "", "ews" },
    };

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Names_OfOthers_GiveTheSameNetwork(string name, string prefix, string dialect)
    {
        using var network = Networks.Create(name);
        var state = Translate(network, name, dialect).ToDictionary(pair => prefix + pair.Name, pair => pair.Value);
        using var weights = Read(state);
        Assert.Equal(7, weights.Classes);
        using var other = Create(name);
        weights.CopyTo(other);
        using var noGradients = torch.no_grad();
        Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 32)), other.call(Networks.Images(2, 32))));
    }

    [Theory]
    [InlineData("mu", "sigma", "")]
    [InlineData("normalize.mean", "normalize.std", "model.")]
    [InlineData("mean", "standard_deviation", "")]
    [InlineData("module.normalizer.new_mean", "module.normalizer.new_std", "module.model.")]
    [InlineData("0.mean", "0.std", "1.")]
    public void Normalisation_IsTakenFromTheModel(string mean, string deviation, string prefix)
    {
        using var network = Networks.Create("preact-resnet18");
        var state = Translate(network, "preact-resnet18", "robustbench").ToDictionary(pair => prefix + pair.Name, pair => pair.Value);
        state.Add(mean, torch.tensor(new[] { 0.5f, 0.25f, 0.125f }).reshape(1, 3, 1, 1));
        state.Add(deviation, torch.tensor(new[] { 0.25f, 0.5f, 1f }).reshape(1, 3, 1, 1));
        using var weights = Read(state);
        Assert.Equal([0.5, 0.25, 0.125], weights.Mean!);
        Assert.Equal([0.25, 0.5, 1], weights.StandardDeviation!);
        using var other = Create("preact-resnet18");
        weights.CopyTo(other);
    }

    [Fact]
    public void MissingAndUnexpectedParameters_AreListed()
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision").ToDictionary(pair => pair.Name, pair => pair.Value);
        state.Remove("layer1.0.conv1.weight");
        state.Add("layer5.0.weight", torch.zeros(2));
        state["fc.weight"] = torch.zeros(7, 3);
        using var weights = Read(state);
        using var other = Create("resnet18");
        var before = other.state_dict()["conv1.weight"].clone();
        var message = Assert.Throws<InputException>(() => weights.CopyTo(other)).Message;
        Assert.Contains("'layer1.0.conv1.weight' is missing", message);
        Assert.Contains("'layer5.0.weight' is not part of the network", message);
        Assert.Contains("'fc.weight' is 7x3 instead of 7x64", message);
        Assert.Equal(0, Networks.Distance(before, other.state_dict()["conv1.weight"]));
    }

    [Fact]
    public void ClassifierWithoutShifts_HasNone()
    {
        using var network = Networks.Create("wide-resnet-10-1");
        var state = Translate(network, "wide-resnet-10-1", "torchvision").Where(pair => pair.Name != "fc.bias" && !pair.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal));
        using var weights = Read(state.ToDictionary(pair => pair.Name, pair => pair.Value));
        using var other = Create("wide-resnet-10-1");
        weights.CopyTo(other);
        Assert.Equal(0, other.state_dict()["fc.bias"].abs().max().ToDouble());
    }

    // Data parallelism, compilation, averages, sharding, Lightning, nn.Sequential: whatever stands before the names of a network.
    [Theory]
    [InlineData("module._orig_mod.", "")]
    [InlineData("ema_model.module.", "")]
    [InlineData("backbone.", "")]
    [InlineData("_forward_module.student.net.", "")]
    [InlineData("", "_fsdp_wrapped_module.")]
    [InlineData("1.", "_checkpoint_wrapped_module.")]
    public void Wrappers_AreSeenThrough(string before, string within)
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision").ToDictionary(pair => before + pair.Name.Replace(".0.conv", $".0.{within}conv", StringComparison.Ordinal), pair => pair.Value);
        // An averaged model counts what it averaged, others their steps.
        state.Add("n_averaged", torch.tensor(7L));
        state.Add("ema.num_updates", torch.tensor(9));
        state.Add("initted", torch.tensor(true));
        using var weights = Read(state);
        Assert.Equal(7, weights.Classes);
        using var other = Create("resnet18");
        weights.CopyTo(other);
        using var noGradients = torch.no_grad();
        Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 32)), other.call(Networks.Images(2, 32))));
    }

    // The robustness library's: the network again inside of what attacks it, and its normalisation with it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TwinOfTheNetwork_MustBeTheSame(bool same)
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision");
        var both = state.Select(pair => (Name: "module.model." + pair.Name, pair.Value)).Concat(state.Select(pair => (Name: "module.attacker.model." + pair.Name, Value: pair.Value.clone()))).ToDictionary(pair => pair.Name, pair => pair.Value);
        foreach (var parent in new[] { "module.normalizer.", "module.attacker.normalize." })
        {
            both.Add(parent + "new_mean", torch.tensor(new[] { 0.5f, 0.25f, 0.125f }).reshape(3, 1, 1));
            both.Add(parent + "new_std", torch.tensor(new[] { 0.25f, 0.5f, 1f }).reshape(3, 1, 1));
        }

        if (!same)
        {
            both["module.attacker.model.layer1.0.bn1.bias"][0] = 3;
            Assert.Contains("differ in 'layer1.0.bn1.bias'", Assert.Throws<InputException>(() => Read(both)).Message);
            return;
        }

        using var weights = Read(both);
        Assert.Equal([0.5, 0.25, 0.125], weights.Mean!);
        using var other = Create("resnet18");
        weights.CopyTo(other);
        using var noGradients = torch.no_grad();
        Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 32)), other.call(Networks.Images(2, 32))));
    }

    [Fact]
    public void WhatStandsBesideTheNetwork_IsNamed()
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision").ToDictionary(pair => "model." + pair.Name, pair => pair.Value);
        state.Add("criterion.weight", torch.ones(7));
        state.Add("input.scale", torch.tensor(3f));
        using var weights = Read(state);
        using var other = Create("resnet18");
        Assert.Contains("'input.scale' is not part of the network", Assert.Throws<InputException>(() => weights.CopyTo(other)).Message);
        state.Remove("input.scale");
        using (var alone = Read(state))
        {
            Assert.Equal(["criterion.weight"], alone.CopyTo(other));
        }

        state.Add("fc.bias", torch.zeros(7));
        Assert.Contains("'fc.bias' both outside", Assert.Throws<InputException>(() => Read(state)).Message);
    }

    // RobustBench's wide networks with PSSiLU have these names; in the EWS authors' they are masks.
    [Fact]
    public void ActivationsThatLearn_AreNotTakenForMasks()
    {
        using var network = Networks.Create("wide-resnet-10-1");
        var state = Translate(network, "wide-resnet-10-1", "torchvision").ToDictionary(pair => pair.Name, pair => pair.Value);
        state.Add("block1.layer.0.activation.alpha", torch.ones(1));
        state.Add("activation.beta", torch.ones(1));
        using var weights = Read(state);
        using var other = Create("wide-resnet-10-1");
        var message = Assert.Throws<InputException>(() => weights.CopyTo(other)).Message;
        Assert.Contains("'block1.layer.0.activation.alpha' is not part", message);
        Assert.Contains("'activation.beta' is not part", message);
    }

    // model.fc = nn.Sequential(nn.Dropout(), nn.Linear(...)).
    [Theory]
    [InlineData("")]
    [InlineData("net.")]
    public void ClassifierInASequence_IsTaken(string prefix)
    {
        using var network = Networks.Create("resnet18-imagenet");
        var state = Translate(network, "resnet18-imagenet", "torchvision").ToDictionary(pair => prefix + pair.Name.Replace("fc.", "fc.1.", StringComparison.Ordinal), pair => pair.Value);
        using (var weights = Read(state))
        {
            Assert.Equal(7, weights.Classes);
            Assert.Contains("part 1 of the sequence", Assert.Single(weights.Notes));
            Assert.Equal(("resnet18-imagenet", true), weights.Recognise(0.125));
            using var other = Create("resnet18-imagenet");
            weights.CopyTo(other);
            using var noGradients = torch.no_grad();
            Assert.Equal(0, Networks.Distance(network.call(Networks.Images(2, 32)), other.call(Networks.Images(2, 32))));
        }

        // Two layers are another network.
        state.Add(prefix + "fc.3.weight", torch.zeros(7, 7));
        using var two = Read(state);
        Assert.Throws<InputException>(() => two.Classes);
    }

    [Fact]
    public void TwoNetworksInOne_AreRefused() =>
        Assert.Contains("two networks", Assert.Throws<InputException>(() => Read(new() { ["fc.weight"] = torch.zeros(2, 2), ["module.fc.weight"] = torch.ones(2, 2) })).Message);

    [Theory]
    [InlineData("layer1.0.bn2.running_var", double.NaN, "NaN")]
    [InlineData("fc.weight", double.PositiveInfinity, "infinite")]
    [InlineData("bn1.running_var", -0.5, "negative variance")]
    [InlineData("fc.bias", 1e39, "as float32")]
    public void WhatNoNetworkComputesWith_IsNamed(string name, double value, string reason)
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision").ToDictionary(pair => pair.Name, pair => pair.Value);
        state[name] = state[name].to(torch.float64);
        state[name].view(-1)[0] = value;
        using var weights = Read(state);
        using var other = Create("resnet18");
        var before = other.state_dict()["conv1.weight"].clone();
        var message = Assert.Throws<InputException>(() => weights.CopyTo(other)).Message;
        Assert.Contains($"'{name}'", message);
        Assert.Contains(reason, message);
        Assert.Equal(0, Networks.Distance(before, other.state_dict()["conv1.weight"]));
    }

    [Fact]
    public void QuantisedWeights_AreRefused()
    {
        using var network = Networks.Create("resnet18");
        var state = Translate(network, "resnet18", "torchvision").ToDictionary(pair => pair.Name, pair => pair.Value);
        state["conv1.weight"] = state["conv1.weight"].mul(100).to(torch.int8);
        using var weights = Read(state);
        using var other = Create("resnet18");
        Assert.Contains("quantised", Assert.Throws<InputException>(() => weights.CopyTo(other)).Message);
    }

    // Of images in 0 ... 255, not finite, in two ways, for grey pictures.
    [Theory]
    [InlineData(new float[] { 123.675f, 116.28f, 103.53f }, new float[] { 0.2f, 0.2f, 0.2f }, "divide means of images in 0 to 255 by 255")]
    [InlineData(new float[] { 0.5f, 0.5f, 0.5f }, new float[] { 58.4f, 57.1f, 57.4f }, "divide deviations of images in 0 to 255 by 255")]
    [InlineData(new float[] { 0.5f, 0.5f, float.NaN }, new float[] { 0.2f, 0.2f, 0.2f }, "[0, 1]")]
    [InlineData(new float[] { 0.5f, 0.5f, 0.5f }, new float[] { 0.2f, 0, 0.2f }, "[0.0001, 1]")]
    [InlineData(new float[] { 0.5f }, new float[] { 0.2f }, "three channels")]
    public void Normalisation_OfOtherImages_IsRefused(float[] mean, float[] deviation, string reason) => Assert.Contains(
        reason,
        Assert.Throws<InputException>(() => Read(new() { ["fc.weight"] = torch.zeros(2, 2), ["mu"] = torch.tensor(mean), ["sigma"] = torch.tensor(deviation) })).Message);

    [Fact]
    public void Normalisation_InTwoWays_IsRefused() => Assert.Contains(
        "two ways",
        Assert.Throws<InputException>(() => Read(new() { ["mu"] = torch.zeros(3), ["sigma"] = torch.ones(3), ["n.mean"] = torch.full([3], 0.5f), ["n.std"] = torch.ones(3) })).Message);

    // What a file of ours says about itself counts where its checksum vouches for it.
    [Fact]
    public void Metadata_AreChecked()
    {
        var tensors = new Dictionary<string, torch.Tensor> { ["fc.weight"] = torch.zeros(2, 2) };
        var metadata = new Dictionary<string, string> { ["model"] = "resnet8", ["classes"] = """["cat","dog"]""", ["height"] = "32", ["width"] = "32", ["mean"] = "[0,0,0]", ["standard-deviation"] = "[1,1,1]" };
        using (var weights = Written("model", "resnet8"))
        {
            Assert.Equal(("resnet8", 32), (weights.Model, weights.Height));
        }

        Assert.Contains("classes 0 and 1 the same name 'cat'", Assert.Throws<InputException>(() => Written("classes", """["cat","cat"]""")).Message);
        Assert.Contains("'height'", Assert.Throws<InputException>(() => Written("height", "32.5")).Message);
        Assert.Contains("divide means", Assert.Throws<InputException>(() => Written("mean", "[123,116,103]")).Message);
        Assert.Contains("divide means", Assert.Throws<InputException>(() => Written("mean", """["NaN",0,0]""")).Message);
        Assert.Contains("'classes'", Assert.Throws<InputException>(() => Written("classes", "null")).Message);
        var header = """{"__metadata__":{"model":"resnet8","classes":"[]"},"fc.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"""u8.ToArray();
        File.WriteAllBytes(_folder["x.safetensors"], [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0, 0]);
        Assert.Contains("lacks their checksum", Assert.Throws<InputException>(() => ImportedWeights.Read(_folder["x.safetensors"])).Message);

        ImportedWeights Written(string key, string value)
        {
            SafeTensors.Write(_folder["x.safetensors"], tensors, new Dictionary<string, string>(metadata) { [key] = value });
            return ImportedWeights.Read(_folder["x.safetensors"]);
        }
    }

    [Fact]
    public void NoClassifier_IsASentence()
    {
        using var weights = Read(new() { ["conv1.weight"] = torch.zeros(2, 2) });
        Assert.Contains("conv1.weight", Assert.Throws<InputException>(() => weights.Classes).Message);
    }

    private static ClassifierNetwork Create(string name)
    {
        var network = NetworkCatalogue.Create(name, 7, Networks.Mean, Networks.Deviation, seed: 77, widthMultiplier: 0.125);
        network.eval();
        return network;
    }

    // What RobustBench (architectures/resnet.py, wide_resnet.py) and EWS (model.py) call and keep besides.
    private static List<(string Name, torch.Tensor Value)> Translate(ClassifierNetwork network, string name, string dialect)
    {
        var translated = new List<(string, torch.Tensor)>();
        foreach (var (key, value) in network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")))
        {
            var theirs = key;
            if (dialect != "torchvision" && name is ['r', ..] && !name.EndsWith("-imagenet", StringComparison.Ordinal))
            {
                theirs = key.Replace(".downsample.", ".shortcut.", StringComparison.Ordinal).Replace("fc.", "linear.", StringComparison.Ordinal);
            }

            translated.Add((theirs, value));
            if (dialect == "ews" && key.EndsWith(".conv2.weight", StringComparison.Ordinal))
            {
                var block = theirs[..^".conv2.weight".Length];
                translated.Add((block + ".conv2.beta", torch.ones(value.shape[1], dtype: torch.int64)));
                translated.Add((block + ".conv2.active_index", torch.arange(value.shape[1], dtype: torch.int32)));
                translated.Add((block + ".path_beta", torch.ones(2, dtype: torch.int64)));
                translated.Add((block + ".alpha", torch.ones(2)));
            }
        }

        if (name is ['w', ..] && dialect != "torchvision")
        {
            translated.Add(("sub_block1.layer.0.bn1.weight", torch.ones(2)));
        }

        return translated;
    }

    private ImportedWeights Read(Dictionary<string, torch.Tensor> state)
    {
        File.WriteAllBytes(_folder["x.pth"], new PickleWriter().State(state).Archive());
        return ImportedWeights.Read(_folder["x.pth"]);
    }
}
