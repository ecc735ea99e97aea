using SkiaSharp;
using WeakLink.Data;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public sealed class FolderIndexTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FolderIndexTests()
    {
        Pictures.WriteClasses(_folder["pets"], 4);
        Settle();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void UnchangedFolders_AreNotReadAgain()
    {
        Assert.Equal(8, Open().Count);
        // The folder keeps its time: only whoever looks at files sees it.
        var time = Directory.GetLastWriteTimeUtc(_folder["pets/cat"]);
        var (read, index) = (0, Index());
        Assert.Equal(4, index.Entries(_folder["pets/cat"], _folder["pets/cat"], () => { read++; return []; }).Count);
        Assert.Equal(0, read);
        Assert.Equal((8, 8), index.Size(_folder["pets/cat/00.png"]));
        Assert.Equal(time, Directory.GetLastWriteTimeUtc(_folder["pets/cat"]));
    }

    [Fact]
    public void FilesThatCome_GoOrAreRenamed_AreSeen()
    {
        Open();
        Pictures.Write(_folder["pets/cat/new.png"], SKColors.Red);
        Assert.Equal(9, Open().Count);
        File.Delete(_folder["pets/dog/00.png"]);
        Settle();
        Assert.Equal(8, Open().Count);
        Assert.Equal(8, Open().Count);
        Directory.Move(_folder["pets/dog"], _folder["pets/bird"]);
        Assert.Equal(["bird", "cat"], Open("bird", "cat").Classes);
    }

    // Its time would be the same after another change in the same tick of the clock.
    [Fact]
    public void AFolderThatHasJustChanged_IsReadAgain()
    {
        Directory.SetLastWriteTimeUtc(_folder["pets/cat"], DateTime.UtcNow);
        Open();
        var read = 0;
        Index().Entries(_folder["pets/cat"], _folder["pets/cat"], () => { read++; return []; });
        Index().Entries(_folder["pets/dog"], _folder["pets/dog"], () => { read++; return []; });
        Assert.Equal(1, read);
    }

    [Fact]
    public void AFileThatIsWrittenOverWithAnotherSize_IsFoundWhenItIsRead_AndLookedAtTheNextTime()
    {
        Open();
        var (file, time) = (_folder["pets/cat/01.png"], Directory.GetLastWriteTimeUtc(_folder["pets/cat"]));
        using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(0);
            stream.Write(File.ReadAllBytes(Pictures.Write(_folder["larger.png"], SKColors.Red, 9, 9)));
        }

        Assert.Equal(time, Directory.GetLastWriteTimeUtc(_folder["pets/cat"]));
        var images = Open();
        Assert.Equal((8, 8), (images.Width, images.Height));
        Assert.Contains(file, Assert.Throws<InputException>(() => KnownImages.Of(images, new SilentObserver())).Message, StringComparison.Ordinal);
        Assert.Equal(64, Open().Width);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(-1)]
    [InlineData(-60)]
    public void ADamagedIndex_IsAnEmptyOne(int at)
    {
        Open();
        var file = Assert.Single(Directory.GetFiles(_folder["cache/folders"]));
        var bytes = File.ReadAllBytes(file);
        bytes[at < 0 ? bytes.Length + at : at] ^= 1;
        foreach (var damaged in new[] { bytes, bytes[..Math.Abs(at)], [] })
        {
            File.WriteAllBytes(file, damaged);
            Assert.Null(Index().Size(_folder["pets/cat/00.png"]));
            Assert.Equal(8, Open().Count);
        }
    }

    [Fact]
    public void OfFewImages_NothingIsKept()
    {
        FolderTree.Read(_folder["pets"], FolderIndex.Open(_folder["cache"], _folder["pets"]));
        DataSources.Open(new DataRecipe { Source = _folder["pets"] }, 0, new SilentObserver());
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    // What data.limit leaves out costs nothing: nobody notices that it is damaged.
    [Fact]
    public void ALimitedTraining_ReadsNoOtherImage()
    {
        Pictures.WriteClasses(_folder["many"], 40);
        var recipe = new DataRecipe { Source = _folder["many"], Limit = 10 };
        var used = DataSources.Open(recipe, 0, new SilentObserver());
        var all = DataSources.Open(recipe with { Limit = 0 }, 0, new SilentObserver());
        var unused = Paths(all.Train).Except(Paths(used.Train)).First();
        var bytes = File.ReadAllBytes(unused);
        File.WriteAllBytes(unused, bytes[..^24]);
        Assert.Equal(10, DataSources.Open(recipe, 0, new SilentObserver()).Known(new SilentObserver()).Train.Hashes.Count);
        Assert.Throws<InputException>(() => all.Known(new SilentObserver()));

        static IEnumerable<string> Paths(Dataset images) => Enumerable.Range(0, images.Count).Select(images.Describe);
    }

    private FolderIndex Index() => FolderIndex.Open(_folder["cache"], _folder["pets"], fewest: 0);

    private FolderDataset Open(params string[] classes)
    {
        var root = FolderTree.Read(_folder["pets"], Index());
        return FolderDataset.Open(FolderPart.Read(root, [root], new PassedOver())[0], "pets", classes.Length > 0 ? classes : ["cat", "dog"], new DataRecipe(), [], new SilentObserver());
    }

    // As folders are that nobody has written into for a while.
    private void Settle()
    {
        foreach (var folder in new[] { "pets/cat", "pets/dog", "pets" })
        {
            Directory.SetLastWriteTimeUtc(_folder[folder], DateTime.UtcNow.AddMinutes(-1));
        }
    }
}
