using TorchSharp;
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

    [Fact]
    public void TwoNetworksInOne_AreRefused() =>
        Assert.Contains("two networks", Assert.Throws<InputException>(() => Read(new() { ["fc.weight"] = torch.zeros(2, 2), ["module.fc.weight"] = torch.zeros(2, 2) })).Message);

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
