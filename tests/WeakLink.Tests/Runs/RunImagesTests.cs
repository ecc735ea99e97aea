using WeakLink.Data;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Runs;

public sealed class RunImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KnownSplits _images = Small.Data.Known(new SilentObserver());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsKept_IsFoundAgain_FromTheFolderAndFromItsCheckpoints()
    {
        // There may be no validation images.
        var withExtra = _images with { Extra = _images.Validation, Validation = KnownImages.Of(new SubsetDataset(Small.Data.Train, []), new SilentObserver()) };
        var recipe = Run("run", withExtra);
        Directory.CreateDirectory(_folder["run/checkpoints"]);
        File.WriteAllText(_folder["run/checkpoints/best.safetensors"], "");
        foreach (var model in new[] { _folder["run"], _folder["run/checkpoints/best.safetensors"] })
        {
            var found = RunImages.Of(model, recipe)!;
            Assert.Equal(withExtra.Fingerprint(), found.Fingerprint());
            Assert.Equal(_images.Test.Hashes, found.Test.Hashes);
            Assert.Equal(_images.Test.Labels, found.Test.Labels);
            Assert.Equal(20, found.Extra!.Hashes.Count);
        }

        // A resumed run keeps what it began with.
        RunImages.Keep(_folder["run"], _images with { Train = _images.Test });
        Assert.NotNull(RunImages.Of(_folder["run"], recipe));
    }

    [Fact]
    public void OfAModelWithoutARun_NothingIsKnown_AndThatIsSaid()
    {
        File.WriteAllText(_folder["moved.safetensors"], "");
        var notes = new Notes();
        Assert.Empty(RunImages.Met(_folder["moved.safetensors"], Small.Recipe, _images.Train, "test images", notes));
        Assert.Contains("can't be checked", Assert.Single(notes.Sentences), StringComparison.Ordinal);
        var recipe = Run("run", _images);
        Assert.Contains("96 of the 96 test images are among those that the network is trained on", Assert.Single(RunImages.Met(_folder["run"], recipe, _images.Train, "test images", notes)), StringComparison.Ordinal);
        Assert.Single(notes.Sentences);
    }

    [Fact]
    public void ANetworkThatWasPutIntoARun_IsNotOfThatRun()
    {
        var recipe = Run("run", _images);
        foreach (var place in new[] { "run/checkpoints/copied.safetensors", "run/mine/imported.safetensors", "run/checkpoints/deeper/x.safetensors", "run/own.safetensors" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[place])!);
            File.WriteAllText(_folder[place], "");
            foreach (var fingerprint in new[] { new string('0', 32), new string('0', 16), "" })
            {
                Assert.Null(RunImages.Of(_folder[place], recipe with { Data = recipe.Data with { Fingerprint = fingerprint } }));
            }
        }

        // One of the run itself, but the list is of another.
        File.Delete(_folder["run/images.safetensors"]);
        RunImages.Keep(_folder["run"], _images with { Train = _images.Test });
        Assert.Contains("images that the run was trained on", Assert.Throws<InputException>(() => RunImages.Of(_folder["run/checkpoints/copied.safetensors"], recipe)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheListOfAnotherRun_OrADamagedOne_IsRefused()
    {
        var recipe = Run("run", _images);
        var other = recipe with { Data = recipe.Data with { Fingerprint = new string('0', 32) } };
        Assert.Contains("images that the run was trained on", Assert.Throws<InputException>(() => RunImages.Of(_folder["run"], other)).Message, StringComparison.Ordinal);
        // Older runs know their images by name alone.
        Assert.NotNull(RunImages.Of(_folder["run"], recipe with { Data = recipe.Data with { Fingerprint = new string('0', 16) } }));

        WeakLink.Files.SafeTensors.Write(_folder["run/images.safetensors"], new Dictionary<string, TorchSharp.torch.Tensor> { ["train"] = TorchSharp.torch.zeros(3) }, new Dictionary<string, string> { ["classes"] = "[\"a\"]" });
        Assert.Contains("not the list of images", Assert.Throws<InputException>(() => RunImages.Of(_folder["run"], recipe)).Message, StringComparison.Ordinal);
    }

    private Recipe Run(string name, KnownSplits images)
    {
        var recipe = Small.Recipe with { Data = Small.Recipe.Data with { Fingerprint = images.Fingerprint() } };
        Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(_folder[$"{name}/recipe.yaml"], RecipeFile.ToYaml(recipe));
        RunImages.Keep(_folder[name], images);
        return recipe;
    }
}
