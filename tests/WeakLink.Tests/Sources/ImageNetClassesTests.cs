using SkiaSharp;
using WeakLink.Corruptions;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class ImageNetClassesTests
{
    // Places in the logits that papers and programs name.
    [Theory]
    [InlineData(0, "n01440764", "tench")]
    [InlineData(1, "n01443537", "goldfish")]
    [InlineData(134, "n02012849", "crane bird")]
    [InlineData(207, "n02099601", "golden retriever")]
    [InlineData(281, "n02123045", "tabby")]
    [InlineData(517, "n03126707", "crane")]
    [InlineData(999, "n15075141", "toilet tissue")]
    public void AClass_HasItsPlace(int place, string id, string name) => Assert.Equal((id, name), (ImageNetClasses.Ids[place], ImageNetClasses.Names[place]));

    [Fact]
    public void EachOfTheThousand_HasANameOfItsOwn_InTheOrderOfItsId()
    {
        Assert.Equal((1000, 1000), (ImageNetClasses.Ids.Count, ImageNetClasses.Names.Distinct().Count()));
        Assert.Equal(ImageNetClasses.Ids, ImageNetClasses.Ids.Distinct().Order(StringComparer.Ordinal));
        Assert.All(ImageNetClasses.Ids, id => Assert.Matches("^n[0-9]{8}$", id));
        Assert.All(ImageNetClasses.Names, name => Assert.Equal(name.Trim(), name));
    }

    [Fact]
    public void FoldersWithWordNetIds_AreFoundByANetworkThatKnowsTheNames_AlsoSomeOfThem()
    {
        using var folder = new TemporaryFolder();
        Write("clean/test");
        Write("corrupted/fog/1");
        var splits = DataSources.Open(new DataRecipe { Source = folder["clean"] }, ImageNetClasses.Names, 0, new Notes());
        Assert.Equal([0, 0, 207, 207], Enumerable.Range(0, splits.Test.Count).Select(splits.Test.Label));
        Assert.Same(ImageNetClasses.Names, splits.Test.Classes);
        // One that was trained on such folders knows the ids.
        Assert.Equal([1, 1, 0, 0], DataSources.Open(new DataRecipe { Source = folder["clean"] }, ["n02099601", "n01440764", "tench"], 0, new Notes()).Test is var own ? Enumerable.Range(0, own.Count).Select(own.Label) : []);
        // An image's draws are the same for both.
        Assert.Equal(Enumerable.Range(0, 4).Select(own.Identity), Enumerable.Range(0, 4).Select(splits.Test.Identity));

        // ImageNet-C's layout.
        using var corrupted = CorruptionFolder.Open(folder["corrupted"], ImageNetClasses.Names, new DataRecipe());
        var fog = corrupted.Images(CommonCorruptions.Named("fog")[0], 1, new Notes());
        Assert.Equal([0, 0, 207, 207], Enumerable.Range(0, fog.Count).Select(fog.Label));

        var message = Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = folder["clean"] }, ["tench", "goldfish"], 0, new Notes())).Message;
        Assert.Contains("n02099601", message, StringComparison.Ordinal);

        void Write(string place)
        {
            for (var i = 0; i < 2; i++)
            {
                Pictures.Write(folder[$"{place}/n01440764/{i}.png"], new SKColor(10, (byte)(20 * i), 0));
                Pictures.Write(folder[$"{place}/n02099601/{i}.png"], new SKColor(90, (byte)(20 * i), 0));
            }
        }
    }
}
