using SkiaSharp;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class FolderDataTests
{
    [Fact]
    public void ATrainedNetwork_OnAFolderWithoutATestFolder_SaysHowManyImagesItIsMeasuredOn()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 10);
        var notes = new Notes();
        var splits = DataSources.Open(new DataRecipe { Source = folder["pets"] }, ["bird", "cat", "dog"], 0, notes);
        Assert.Contains(notes.Sentences, sentence => sentence.Contains($"so {splits.Test.Count} of its 20 images are held out", StringComparison.Ordinal));
        notes.Sentences.Clear();
        DataSources.Open(new DataRecipe { Source = folder["pets"] }, 0, notes);
        Assert.Empty(notes.Sentences);

        // The remedy: all of them in a test folder, and nothing to train on.
        Directory.Move(folder["pets"], folder["moved"]);
        Directory.CreateDirectory(folder["pets"]);
        Directory.Move(folder["moved"], folder["pets/test"]);
        Assert.Equal(20, DataSources.Open(new DataRecipe { Source = folder["pets"] }, ["cat", "dog"], 0, notes).Test.Count);
        Assert.Empty(notes.Sentences);
        Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = folder["pets"] }, 0, notes));
    }

    [Fact]
    public void PlainFolder_IsSplitByClass()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 20);
        var splits = Open(folder.Path);
        Assert.Equal(["cat", "dog"], splits.Train.Classes);
        Assert.Equal((30, 2, 8), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
        foreach (var part in new[] { splits.Train, splits.Validation, splits.Test })
        {
            Assert.Equal(part.Count / 2, Enumerable.Range(0, part.Count).Count(i => part.Label(i) == 1));
        }

        var all = new[] { splits.Train, splits.Validation, splits.Test }.SelectMany(part => Enumerable.Range(0, part.Count).Select(part.Describe)).ToList();
        Assert.Equal(40, all.Distinct().Count());
    }

    [Fact]
    public void AnImage_IsKnownByItsClassAndName_WhereverItsFolderIsCopied_AndWhateverElseIsInIt()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["all"], 10);
        Pictures.Write(folder["all/cat/kittens/1.png"], SKColors.Red);
        Dictionary<string, long> Identities(string source, DataRecipe? recipe = null)
        {
            var splits = DataSources.Open((recipe ?? new DataRecipe()) with { Source = folder[source] }, 0, new SilentObserver());
            return new[] { splits.Train, splits.Validation, splits.Test }
                .SelectMany(part => Enumerable.Range(0, part.Count).Select(i => (Path.GetRelativePath(folder[source], part.Describe(i)), part.Identity(i))))
                .ToDictionary();
        }

        var all = Identities("all");
        Assert.Equal(21, all.Values.Distinct().Count());
        // Some of them elsewhere, beside others, one of which can't be read.
        var some = all.Keys.Where((_, i) => i % 2 == 0).ToList();
        Assert.Contains(some, name => name.StartsWith("cat", StringComparison.Ordinal));
        foreach (var name in some)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[$"some/{name}"])!);
            File.Copy(folder[$"all/{name}"], folder[$"some/{name}"]);
        }

        Pictures.WriteClasses(folder["more"], 4);
        foreach (var file in Directory.GetFiles(folder["more"], "*", SearchOption.AllDirectories))
        {
            File.Move(file, Path.Combine(folder[$"some/{Path.GetRelativePath(folder["more"], Path.GetDirectoryName(file)!)}"], $"00 {Path.GetFileName(file)}"));
        }

        File.WriteAllText(folder["some/cat/0.png"], "no picture");
        var copied = Identities("some", new DataRecipe { SkipBadImages = true });
        Assert.Equal(some.Count + 8, copied.Count);
        Assert.All(some, name => Assert.Equal(all[name], copied[name]));
    }

    [Fact]
    public void SplitFolders_AreTakenAsTheyAre()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["train"], 10);
        Pictures.WriteClasses(folder["val"], 3);
        Pictures.WriteClasses(folder["test"], 4);
        var splits = Open(folder.Path);
        Assert.Equal((20, 6, 8), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
    }

    [Fact]
    public void TrainAndValAlone_AsImageNetComes_TestOnVal()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["train"], 10);
        Pictures.WriteClasses(folder["val"], 3);
        var splits = Open(folder.Path);
        Assert.Equal((18, 2, 6), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
    }

    [Fact]
    public void TooFewImagesForATestPart_IsASentence_AndValidationMayLackThem()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["two"], 2);
        Assert.Equal((2, 0, 2), Open(folder["two"]) is var splits ? (splits.Train.Count, splits.Validation.Count, splits.Test.Count) : default);
        Pictures.WriteClasses(folder["one"], 1);
        Assert.Contains("test part", Assert.Throws<InputException>(() => Open(folder["one"])).Message);
    }

    [Fact]
    public void ChangedImages_AreRefused_BecauseTheSplitChangesToo()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 10);
        var fingerprint = Open(folder["pets"]).Known(new SilentObserver()).Fingerprint();
        Directory.Move(folder["pets"], folder["moved"]);
        Assert.Equal(20, Parts(Open(folder["moved"], new DataRecipe { Fingerprint = fingerprint })));
        Pictures.Write(folder["moved/cat/new.png"], SKColors.Red);
        Assert.Contains("not those", Assert.Throws<InputException>(() => Open(folder["moved"], new DataRecipe { Fingerprint = fingerprint })).Message);

        static int Parts(DataSplits splits) => splits.Train.Count + splits.Validation.Count + splits.Test.Count;
    }

    [Fact]
    public void ImagesExchangedUnderTheirNames_AreRefused()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        var recipe = new DataRecipe { Fingerprint = Open(folder.Path).Known(new SilentObserver()).Fingerprint() };
        Assert.NotNull(Open(folder.Path, recipe));
        Directory.Move(folder["cat"], folder.Path + "-cat");
        Directory.Move(folder["dog"], folder["cat"]);
        Directory.Move(folder.Path + "-cat", folder["dog"]);
        Assert.Contains("exchanged", Assert.Throws<InputException>(() => Open(folder.Path, recipe)).Message);
    }

    [Fact]
    public void ChecksumOfNames_ThatOlderRunsKept_IsSaidToCheckNothing()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        var notes = new Notes();
        Assert.NotNull(DataSources.Open(new DataRecipe { Source = folder.Path, Fingerprint = "0123456789abcdef" }, 0, notes));
        Assert.Contains("can't be checked", Assert.Single(notes.Sentences));
    }

    [Fact]
    public void BadImageOfDataTooLargeToKeep_IsFoundBeforeTraining()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        var whole = File.ReadAllBytes(Pictures.Write(folder["cat/cut.jpg"], SKColors.Red, 512, 512));
        File.WriteAllBytes(folder["cat/cut.jpg"], whole[..^200]);
        var splits = Open(folder.Path, new DataRecipe { SkipBadImages = true, CacheMegabytes = 0, Size = 8 });
        Assert.EndsWith("cut.jpg", Assert.Single(splits.SkippedImages));
    }

    [Fact]
    public void BadImage_StopsWithItsName_OrIsSkippedAndCounted()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        File.WriteAllText(folder["cat/broken.png"], "no image");
        Assert.Contains("broken.png", Assert.Throws<InputException>(() => Open(folder.Path)).Message);
        var splits = Open(folder.Path, new DataRecipe { SkipBadImages = true });
        Assert.EndsWith("broken.png", Assert.Single(splits.SkippedImages));
        Assert.Equal(20, splits.Train.Count + splits.Validation.Count + splits.Test.Count);
    }

    [Fact]
    public void NothingReadable_IsASentence_AlsoWhenSkipping()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["cat"]);
        Directory.CreateDirectory(folder["dog"]);
        File.WriteAllText(folder["cat/a.png"], "no image");
        File.WriteAllText(folder["dog/a.png"], "no image");
        Assert.Throws<InputException>(() => Open(folder.Path, new DataRecipe { SkipBadImages = true }));
    }

    [Fact]
    public void EmptyClass_MissingFolder_OneClass_AreSentences()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["good"], 3);
        Directory.CreateDirectory(folder["good/emu"]);
        Assert.Contains("emu", Assert.Throws<InputException>(() => Open(folder["good"])).Message);
        Assert.Contains("nowhere", Assert.Throws<InputException>(() => Open(folder["nowhere"])).Message);
        Directory.Delete(folder["good/emu"]);
        Directory.Delete(folder["good/dog"], true);
        Assert.Contains("only one class", Assert.Throws<InputException>(() => Open(folder["good"])).Message);
    }

    [Fact]
    public void ClassThatTrainingLacks_IsNamed()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["train"], 4);
        Pictures.WriteClasses(folder["test"], 2);
        Pictures.Write(folder["test/yak/a.png"], SKColors.Red);
        Assert.Contains("yak", Assert.Throws<InputException>(() => Open(folder.Path)).Message);
    }

    [Fact]
    public void MixedSizes_BecomeOne()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 5);
        Pictures.Write(folder["cat/large.png"], SKColors.Red, 50, 40);
        Assert.Equal((64, 64), (Open(folder.Path).Train.Width, Open(folder.Path).Train.Height));
        Assert.Equal(16, Open(folder.Path, new DataRecipe { Size = 16 }).Train.Width);
    }

    [Fact]
    public void WithoutCache_TheImagesAreTheSame()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        var (cached, anew) = (Open(folder.Path).Train, Open(folder.Path, new DataRecipe { CacheMegabytes = 0 }).Train);
        Assert.Equal(cached.Count, anew.Count);
        var (a, b) = (new byte[cached.BytesPerImage], new byte[anew.BytesPerImage]);
        for (var i = 0; i < cached.Count; i++)
        {
            cached.Read(i, a);
            anew.Read(i, b);
            Assert.Equal(a, b);
        }
    }

    [Fact]
    public void Limit_TakesEveryClassInItsShare()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 20);
        var train = Open(folder.Path, new DataRecipe { Limit = 10 }).Train;
        Assert.Equal((10, 5), (train.Count, Enumerable.Range(0, 10).Count(i => train.Label(i) == 0)));
    }

    private static DataSplits Open(string path, DataRecipe? recipe = null) => DataSources.Open((recipe ?? new DataRecipe()) with { Source = path }, 0, new SilentObserver());
}
