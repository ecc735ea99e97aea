using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Interop;

public sealed class PretrainedWeightsTests : IDisposable
{
    private static readonly string[] Ten = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;

    public PretrainedWeightsTests()
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
    [InlineData(7, "taken: it has as many classes (7), whose names are not known")]
    [InlineData(10, "new, for 10 classes: the weights tell 7 apart")]
    public void Classifier_IsNewWhereTheClassesDiffer(int classes, string said)
    {
        using var source = Networks.Create("resnet8");
        var model = Model(State(source));
        using var weights = PretrainedWeights.Open(model);
        using var network = Create("resnet8", classes);
        var before = network.get_parameter("fc.weight")!.clone();
        var taken = weights.CopyTo(network, Ten[..classes]);
        Assert.Equal(said, taken.Classifier);
        Assert.Equal(classes == 7 ? [] : ["fc.weight", "fc.bias"], taken.New);
        Assert.Equal(classes == 7 ? [] : ["fc.weight", "fc.bias"], taken.Left);
        Assert.Equal(0, Networks.Distance(source.get_parameter("layer3.0.conv1.weight")!, network.get_parameter("layer3.0.conv1.weight")!));
        Assert.Equal(0, Networks.Distance(classes == 7 ? source.get_parameter("fc.weight")! : before, network.get_parameter("fc.weight")!));
    }

    [Fact]
    public void OwnCheckpoint_BringsNetworkWidthAndNormalisation()
    {
        Networks.Save(_folder["own.safetensors"], "resnet8", "shapes", 32, Ten);
        var resolved = PretrainedWeights.Resolve(new Recipe { Model = new() { Name = "auto", Weights = _folder["own.safetensors"] } }).Model;
        Assert.Equal(("resnet8", 0.5), (resolved.Name, resolved.WidthMultiplier));
        Assert.Equal(Networks.Mean, resolved.Mean);
        using var weights = PretrainedWeights.Open(resolved);
        using var network = new Recipe { Model = resolved }.CreateNetwork(10);
        Assert.Equal("taken: the classes are the same", weights.CopyTo(network, Ten).Classifier);
        using var others = new Recipe { Model = resolved }.CreateNetwork(10);
        Assert.Equal("new, for 10 classes: the weights are of other classes", weights.CopyTo(others, [.. Ten.Reverse()]).Classifier);

        // The user's own word counts.
        Assert.Equal([0, 0, 0], PretrainedWeights.Resolve(new Recipe { Model = new() { Name = "auto", Weights = _folder["own.safetensors"], Mean = [0, 0, 0], StandardDeviation = [1, 1, 1] } }).Model.Mean);
    }

    [Theory]
    [InlineData("resnet20", "")]
    [InlineData("resnet14", "module._orig_mod.")]
    public void Network_IsFoundByItsTensors(string name, string prefix)
    {
        using var source = NetworkCatalogue.Create(name, 100, Networks.Mean, Networks.Deviation);
        var model = Model(State(source).ToDictionary(pair => prefix + pair.Key, pair => pair.Value)) with { Name = "auto" };
        Assert.Equal(name, PretrainedWeights.Resolve(new Recipe { Model = model }).Model.Name);
    }

    [Fact]
    public void HalfOfTheTensors_AreAnotherArchitecture_AndListed()
    {
        using var source = NetworkCatalogue.Create("resnet20", 10, Networks.Mean, Networks.Deviation);
        var model = Model(State(source).Where((_, i) => i % 2 == 0).ToDictionary()) with { Name = "auto" };
        var message = Refused(model);
        Assert.Contains("of another architecture than resnet20", message, StringComparison.Ordinal);
        Assert.Contains("is missing", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void WhatIsNoNetwork_IsASentence()
    {
        Assert.Contains("of no network that WeakLink knows", Refused(Model(new() { ["encoder.blocks.0.attn.qkv.weight"] = torch.ones(192, 64) }) with { Name = "auto" }), StringComparison.Ordinal);
        Assert.Contains("There are no weights", Refused(new() { Weights = _folder["nothing.pth"] }), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["folder"]);
        Assert.Contains("not that of a run", Refused(new() { Weights = _folder["folder"] }), StringComparison.Ordinal);
        Assert.Contains("set model.weights", Refused(RecipeFile.Load("fine-tune", []).Model), StringComparison.Ordinal);
    }

    [Fact]
    public void NaN_IsNamed()
    {
        using var source = Networks.Create("resnet8");
        var state = State(source);
        state["layer2.0.bn1.weight"] = torch.full([state["layer2.0.bn1.weight"].shape[0]], float.NaN);
        Assert.Contains("'layer2.0.bn1.weight' are NaN", Refused(Model(state)), StringComparison.Ordinal);
    }

    [Fact]
    public void HalfPrecision_IsConverted_AndSaid()
    {
        using var source = Networks.Create("resnet8");
        using var weights = PretrainedWeights.Open(Model(State(source).ToDictionary(pair => pair.Key, pair => pair.Value.is_floating_point() ? pair.Value.to(torch.float16) : pair.Value)));
        using var network = Create("resnet8", 10);
        Assert.Contains("converted from float16 to float32", weights.CopyTo(network, Ten).ToString(), StringComparison.Ordinal);
        Assert.Equal(torch.float32, network.get_parameter("conv1.weight")!.dtype);
        Assert.Equal(0, Networks.Distance(source.get_parameter("conv1.weight")!, network.get_parameter("conv1.weight")!), 1e-2);
    }

    [Fact]
    public void AnOptimisersState_IsNamed()
    {
        var writer = new PickleWriter();
        writer.Dictionary(() => writer.Text("state").Dictionary(() => writer.Number(0).State(new Dictionary<string, torch.Tensor> { ["momentum_buffer"] = torch.ones(2) })).Text("param_groups").Raw((byte)']'));
        File.WriteAllBytes(_folder["x.pth"], writer.Archive());
        Assert.Contains("an optimiser's state", Refused(new() { Name = "resnet8", Weights = _folder["x.pth"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherFile_IsNotTheRecipes()
    {
        using var source = Networks.Create("resnet8");
        var resolved = PretrainedWeights.Resolve(new Recipe { Model = Model(State(source)) }).Model;
        Assert.Equal(64, resolved.WeightsChecksum.Length);
        Assert.Null(PretrainedWeights.Changed(resolved));
        File.AppendAllText(resolved.Weights, " ");
        Assert.Contains("are not those that the recipe was made with", Refused(resolved), StringComparison.Ordinal);
        Assert.Contains("no longer those that this run began with", PretrainedWeights.Changed(resolved), StringComparison.Ordinal);
    }

    [Fact]
    public void Normalisation_ComesWithTimmsConfiguration_OrIsAskedFor()
    {
        using var source = Networks.Create("resnet8");
        SafeTensors.Write(_folder["ours.safetensors"], State(source), new Dictionary<string, string>());
        var model = Model(State(source)) with { Mean = [], StandardDeviation = [] };
        Assert.Contains("set model.mean and model.standard-deviation", Refused(model), StringComparison.Ordinal);
        File.WriteAllText(_folder["config.json"], """{ "architecture": "resnet8", "num_classes": 7, "pretrained_cfg": { "mean": [0.5, 0.25, 0.125], "std": [0.25, 0.5, 1], "crop_pct": 0.95, "input_size": [3, 224, 224], "interpolation": "bicubic" } }""");
        Assert.Equal([0.5, 0.25, 0.125], PretrainedWeights.Resolve(new Recipe { Model = model }).Model.Mean);
        using (var weights = ImportedWeights.Read(_folder["x.pth"]))
        {
            Assert.Equal(new ImagePreparation(235, 235, 224, 224) { Filter = ResizeFilter.Bicubic }, weights.Preparation);
            Assert.Contains("235 pixels, of them the middle 224, bicubic", Assert.Single(weights.Notes), StringComparison.Ordinal);
        }

        // Smooths what it halves, by filters that are in no file.
        var text = File.ReadAllText(_folder["config.json"]);
        File.WriteAllText(_folder["config.json"], text.Replace("resnet8", "resnetaa50", StringComparison.Ordinal));
        Assert.Contains("timm's resnetaa50", Refused(model), StringComparison.Ordinal);
        File.WriteAllText(_folder["config.json"], text.Replace("\"crop_pct\"", "\"crop_mode\": \"squash\", \"crop_pct\"", StringComparison.Ordinal));
        using (var weights = ImportedWeights.Read(_folder["x.pth"]))
        {
            Assert.Null(weights.Preparation);
            Assert.Contains("in a way that WeakLink does not", Assert.Single(weights.Notes), StringComparison.Ordinal);
        }

        File.WriteAllText(_folder["config.json"], "[]");
        Assert.Contains("set model.mean", Refused(model), StringComparison.Ordinal);
    }

    private static string Refused(ModelRecipe model) => Assert.Throws<InputException>(() => PretrainedWeights.Resolve(new Recipe { Model = model })).Message;

    private static ClassifierNetwork Create(string name, int classes) => NetworkCatalogue.Create(name, classes, Networks.Mean, Networks.Deviation, seed: 77, widthMultiplier: 0.125);

    private static Dictionary<string, torch.Tensor> State(ClassifierNetwork network) => network.state_dict().Where(pair => pair.Key is not ("mean" or "standard_deviation")).ToDictionary();

    // Written as PyTorch does, for a network of an eighth of its width.
    private ModelRecipe Model(Dictionary<string, torch.Tensor> state)
    {
        File.WriteAllBytes(_folder["x.pth"], new PickleWriter().State(state).Archive());
        var isNarrow = state.TryGetValue("conv1.weight", out var stem) && stem.shape[0] == 2;
        return new() { Name = "resnet8", WidthMultiplier = isNarrow ? 0.125 : 1, Weights = _folder["x.pth"], Mean = Networks.Mean, StandardDeviation = Networks.Deviation };
    }
}
