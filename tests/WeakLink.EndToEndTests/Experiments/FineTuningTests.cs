using System.Text.Json;
using TorchSharp;
using WeakLink.Files;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Subnets;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Experiments;

public class FineTuningTests
{
    private static readonly Recipe Short = Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 }, Ews = Small.Recipe.Ews with { Search = SearchKind.Random } };

    [Fact]
    public void Run_GoesOnFromAnother_AndKeepsWhatItTook()
    {
        using var folder = new TemporaryFolder();
        Small.Train(folder["first"], Short);
        var recipe = PretrainedWeights.Resolve(Short with { Model = new() { Name = "auto", Weights = folder["first"] }, Training = Short.Training with { Freeze = "backbone" } });
        Assert.Equal(Short.Model.WidthMultiplier, recipe.Model.WidthMultiplier);

        Small.Train(folder["second"], recipe);

        using var taken = JsonDocument.Parse(File.ReadAllText(RunFolder.WeightsOf(folder["second"])));
        Assert.Equal("taken: the classes are the same", taken.RootElement.GetProperty("classifier").GetString());
        Assert.Equal(recipe.Model.WeightsChecksum, taken.RootElement.GetProperty("sha256").GetString());
        var (first, second) = (SafeTensors.Read(RunFolder.CheckpointOf(folder["first"])).Tensors, Small.Last(folder["second"]));
        Assert.True(first["layer3.0.conv2.weight"].eq(second["layer3.0.conv2.weight"]).all().ReadBoolean());
        Assert.True(first["layer3.0.bn2.running_var"].eq(second["layer3.0.bn2.running_var"]).all().ReadBoolean());
        Assert.False(first["fc.weight"].eq(second["fc.weight"]).all().ReadBoolean());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    public void StoppedInOrAfterTheWarmUp_ItEndsWithTheBitsOfAnUninterruptedRun(int stopAfter)
    {
        using var folder = new TemporaryFolder();
        Networks.Save(folder["weights.safetensors"], "resnet8", "shapes", 32, ["a", "b", "c"]);
        var recipe = PretrainedWeights.Resolve(Short with
        {
            Model = new() { Name = "auto", Weights = folder["weights.safetensors"] },
            Training = Short.Training with { Epochs = 2, ClassifierWarmup = 0.5, BackboneRate = 0.5, Freeze = "bn1", FreezeBatchNorm = true },
        });
        Small.Train(folder["whole"], recipe);
        Assert.Equal(("resnet8", 64), (TakenWeights.Of(folder["whole"])!.Network, TakenWeights.Of(folder["whole"])!.Sha256.Length));

        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Small.Train(folder["parts"], recipe, new TrainingRunTests.StopAfter(stop, stopAfter), stop: stop.Token));
        // What goes on from its own checkpoint needs the weights no more.
        File.Delete(folder["weights.safetensors"]);
        Small.Train(folder["parts"], recipe);

        var (whole, parts) = (Small.Last(folder["whole"]), Small.Last(folder["parts"]));
        Assert.Equal(whole.Keys.Order(), parts.Keys.Order());
        Assert.All(whole, pair => Assert.True(pair.Value.eq(parts[pair.Key]).all().ReadBoolean(), pair.Key));
    }

    // The network that a NuGet package brings, where it can be restored.
    [Fact]
    public void PublishedWeights_AreFineTuned()
    {
        PublishedWeights.File();
        using var folder = new TemporaryFolder();
        var shipped = RecipeFile.Load("fine-tune", ["model.weights=resnet20-imagenet", "training.freeze=layer3"]);
        var recipe = PretrainedWeights.Resolve(shipped with { Training = Short.Training with { BackboneRate = shipped.Training.BackboneRate, Freeze = shipped.Training.Freeze }, Ews = new() { Search = SearchKind.Off } });
        var position = Small.Train(folder["run"], recipe);
        Assert.Equal(1, position.Epoch);
        using var model = TrainedModel.Load(folder["run"], torch.CPU);
        Assert.Equal("resnet20-imagenet", model.Network.Name);
        Assert.Equal(["fc.weight", "fc.bias"], JsonDocument.Parse(File.ReadAllText(RunFolder.WeightsOf(folder["run"]))).RootElement.GetProperty("new").EnumerateArray().Select(name => name.GetString()!));
    }
}
