using TorchSharp;
using WeakLink.Experiments;
using WeakLink.Imaging;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Comparisons;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Runs;

/// <summary>A run's files vouch for one another.</summary>
public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RunFolderTests() => Small.Train(_folder["run"], Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 } });

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("learning-rate: 0.05", "learning-rate: 0.5", "training.learning-rate")]
    [InlineData("epochs: 1", "epochs: 9", "training.epochs")]
    [InlineData("seed: 0", "seed: 1", "seed")]
    [InlineData("flip", "augmix", "augmentation.sequence")]
    public void AnEditedRecipe_StopsTheRun_AndItsMeasurement(string there, string instead, string key)
    {
        Edit("run/recipe.yaml", there, instead);
        foreach (var act in new Action[] { () => Small.Train(_folder["run"]), () => TrainedModel.Load(_folder["run"], torch.CPU).Dispose() })
        {
            var message = Assert.Throws<InputException>(act).Message;
            Assert.Contains($"has {key} ", message, StringComparison.Ordinal);
            Assert.Contains("recipe.yaml", message, StringComparison.Ordinal);
        }

        // The checkpoint says itself what it is.
        TrainedModel.Load(Path.Combine(_folder["run"], "checkpoints", "best.safetensors"), torch.CPU).Dispose();
    }

    [Theory]
    [InlineData("workers: 2", "workers: 1")]
    [InlineData("source: 'shapes'", "source: 'elsewhere'")]
    public void WhereTheDataAre_AndHowARunIsCarriedOut_MayBeEdited(string there, string instead)
    {
        Edit("run/recipe.yaml", there, instead);
        TrainedModel.Load(_folder["run"], torch.CPU).Dispose();
    }

    // The newest run is the one that goes on when none is named.
    [Fact]
    public void MeasuringARun_MakesItNoNewer()
    {
        var trained = RunFolder.LastTrained(_folder["run"]);
        Directory.CreateDirectory(_folder["run/results/evaluations/1"]);
        File.WriteAllText(_folder["run/results/evaluations/1/summary.json"], "{}");
        File.SetLastWriteTimeUtc(_folder["run/results/evaluations/1/summary.json"], trained.AddHours(1));
        Assert.Equal(trained, RunFolder.LastTrained(_folder["run"]));
        File.SetLastWriteTimeUtc(_folder["run/checkpoints/last.safetensors"], trained.AddHours(1));
        Assert.Equal(trained.AddHours(1), RunFolder.LastTrained(_folder["run"]));
    }

    [Theory]
    [InlineData("recipe.yaml", true)]
    [InlineData("summary.json", true)]
    [InlineData("images.safetensors", true)]
    [InlineData("checkpoints/exported.safetensors", true)]
    [InlineData("report.html", false)]
    [InlineData("exported.safetensors", false)]
    [InlineData("deeper/summary.json", false)]
    public void WhatARunKeeps_IsKnownByNameAndPlace(string file, bool kept)
    {
        using var folder = new TemporaryFolder();
        Assert.Null(RunFolder.Keeper(folder[file]));
        File.WriteAllText(folder["recipe.yaml"], "");
        Assert.Equal(kept ? folder.Path : null, RunFolder.Keeper(folder[file]));
    }

    [Fact]
    public void WhatIsLeftOfARunThatCouldNotBegin_IsNoRun()
    {
        Directory.CreateDirectory(_folder["full/checkpoints"]);
        File.WriteAllText(_folder["full/.lock"], "");
        File.WriteAllText(_folder["full/recipe.yaml.7.partial"], "seed:");
        RunFolder.CheckFree(_folder["full"], resume: false);
        File.WriteAllText(_folder["full/thesis.txt"], "");
        Assert.Throws<InputException>(() => RunFolder.CheckFree(_folder["full"], resume: false));
    }

    [Fact]
    public void ASummary_VouchesForRecipeAndCheckpoint()
    {
        var summary = MadeRuns.Summary(0, 0.5) with { Files = RunFolder.ChecksumsOf(_folder["run"]) };
        File.WriteAllText(_folder["run/summary.json"], summary.ToJson());
        Assert.Equal(summary.Files, Summary.Read(_folder["run"]).Files);

        Small.Train(_folder["other"], Small.Recipe with { Training = Small.Recipe.Training with { Epochs = 1 }, Seed = 1 });
        File.Copy(_folder["run/summary.json"], _folder["other/summary.json"]);
        Assert.Contains("best.safetensors' is not the checkpoint", Assert.Throws<InputException>(() => Summary.Read(_folder["other"])).Message, StringComparison.Ordinal);
        // Alone it is what it is.
        Assert.Equal(0.5, Summary.Read(_folder["other/summary.json"]).Clean.Top1);

        var recipe = File.ReadAllText(_folder["run/recipe.yaml"]);
        Edit("run/recipe.yaml", "epochs: 1", "epochs: 2");
        Assert.Contains("training.epochs 2", Assert.Throws<InputException>(() => Summary.Read(_folder["run"])).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["run/recipe.yaml"], recipe + "# looked at\n");
        Assert.Contains("changed after the run was measured", Assert.Throws<InputException>(() => Summary.Read(_folder["run"])).Message, StringComparison.Ordinal);

        // What report.html draws, and what was measured of the last epoch.
        File.WriteAllText(_folder["run/recipe.yaml"], recipe);
        foreach (var name in new[] { "metrics.jsonl", "checkpoints/last.safetensors" })
        {
            var own = File.ReadAllBytes(_folder[$"run/{name}"]);
            File.Copy(_folder[$"other/{name}"], _folder[$"run/{name}"], overwrite: true);
            Assert.Contains($"{name}' is not the one that the run ended with", Assert.Throws<InputException>(() => Summary.Read(_folder["run"])).Message, StringComparison.Ordinal);
            File.WriteAllBytes(_folder[$"run/{name}"], own);
        }

        // Checkpoints may be thrown away.
        File.WriteAllText(_folder["run/recipe.yaml"], recipe);
        Directory.Delete(_folder["run/checkpoints"], recursive: true);
        Assert.Equal(0.5, Summary.Read(_folder["run"]).Clean.Top1);
    }

    [Fact]
    public void ACheckpointWithoutARecipe_OrWithoutClasses_IsRefused()
    {
        var path = Path.Combine(_folder["run"], "checkpoints", "best.safetensors");
        foreach (var (key, value) in new[] { ("recipe", ""), ("recipe", "a: [1"), ("classes", "null"), ("classes", "[null]"), ("classes", "[[[["), ("size", "null"), ("size", "{}"), ("position", "null"), ("position", "{\"epoch\": -1}") })
        {
            var (tensors, metadata) = WeakLink.Files.SafeTensors.Read(path);
            metadata[key] = value;
            WeakLink.Files.SafeTensors.Write(_folder["other.safetensors"], tensors, metadata);
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            Assert.Contains("other.safetensors'", Assert.Throws<InputException>(() => TrainedModel.Load(_folder["other.safetensors"], torch.CPU)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AFolderThatIsGone_IsNotCalledIntact()
    {
        var data = Small.Data;
        using var folder = RunFolder.Open(_folder["gone"], Small.Recipe, data.Train.Classes, new ImageSize(32, 32), new { }, resume: false);
        using var network = Small.Recipe.CreateNetwork(data.Train.Classes.Count);
        Directory.Delete(_folder["gone"], recursive: true);
        foreach (var act in new Action[] { () => folder.SaveBest(network, new RunPosition()), () => folder.WriteEpoch(new EpochMetrics(1, 1, 0.1, 1, 0, 0.5, null, null, null, 1, 1, 0)), () => folder.WriteResults(new Measurement(MadeRuns.Summary(0, 0.5), [], new Dictionary<string, byte[]>()), data.Test) })
        {
            Assert.Contains("was deleted or moved", Assert.Throws<InputException>(act).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WeightsThatWereValidatedAfterTheLastSave_StayTheBest()
    {
        var data = Small.Data;
        using var folder = RunFolder.Open(_folder["killed"], Small.Recipe, data.Train.Classes, new ImageSize(32, 32), new { }, resume: false);
        using var network = Small.Recipe.CreateNetwork(data.Train.Classes.Count);
        using var search = Small.Recipe.Ews.CreateSearch(network.Space, 0);
        using var optimizer = TrainingRun.Optimizer(network, Small.Recipe.Training);
        var last = new RunPosition { Epoch = 2, BestEpoch = 1, BestTop1 = 0.4, BestNll = 2 };
        folder.SaveLast(network, optimizer, search, last);
        folder.SaveBest(network, last with { Epoch = 1 });
        Assert.Equal(last, folder.Restore(network, optimizer, search));
        folder.SaveBest(network, new RunPosition { Epoch = 3, BestEpoch = 3, BestTop1 = 0.5, BestNll = 1 });
        Assert.Equal(last with { BestEpoch = 3, BestTop1 = 0.5, BestNll = 1 }, folder.Restore(network, optimizer, search));
    }

    [Fact]
    public void AFolderInUse_IsToldFromOneThatCantBeWrittenTo()
    {
        using (RunFolder.Open(_folder["used"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: false))
        {
            Assert.Contains("Another process is training", Assert.Throws<InputException>(() => RunFolder.Open(_folder["used"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: true)).Message, StringComparison.Ordinal);
        }

        // A folder where the lock should be fails as a read-only disk does, for root too.
        Directory.CreateDirectory(_folder["odd/.lock"]);
        var message = Assert.Throws<InputException>(() => RunFolder.Open(_folder["odd"], Small.Recipe, ["a", "b"], new ImageSize(32, 32), new { }, resume: true)).Message;
        Assert.Contains("can't be written to", message, StringComparison.Ordinal);
        Assert.DoesNotContain("process", message, StringComparison.Ordinal);
    }

    private void Edit(string file, string there, string instead)
    {
        var text = File.ReadAllText(_folder[file]);
        Assert.Contains(there, text, StringComparison.Ordinal);
        File.WriteAllText(_folder[file], text.Replace(there, instead, StringComparison.Ordinal));
    }
}
