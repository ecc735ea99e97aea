using SkiaSharp;
using WeakLink.Imaging;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public sealed class PackedImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PackedImages_AreThoseOfTheFolder_InEveryRespect()
    {
        Pictures.WriteClasses(_folder["pets"], 20);
        Pack();
        Compare(DataSources.Open(Recipe("pets"), 3, new SilentObserver()), DataSources.Open(Recipe("pets.pack"), 3, new SilentObserver()));
    }

    [Fact]
    public void Splits_AreKept_AndImagesOfSeveralSizesScaled()
    {
        foreach (var part in new[] { "train", "val", "test" })
        {
            Pictures.WriteClasses(_folder[$"pets/{part}"], 3);
            Pictures.Write(_folder[$"pets/{part}/cat/large.png"], SKColors.Red, 20, 11);
        }

        Directory.Delete(_folder["pets/test/dog"], recursive: true);
        Pack(6);
        var packed = DataSources.Open(Recipe("pets.pack"), 0, new SilentObserver());
        Compare(DataSources.Open(Recipe("pets") with { Size = 6 }, 0, new SilentObserver()), packed);
        Assert.Equal((7, 7, 4), (packed.Train.Count, packed.Validation.Count, packed.Test.Count));
        Assert.Contains($"{Path.Combine("test", "cat", "large.png")}' in", packed.Test.Describe(3), StringComparison.Ordinal);
        Assert.Contains("not of data.size = 8", Assert.Throws<InputException>(() => DataSources.Open(Recipe("pets.pack") with { Size = 8 }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
        Assert.Contains("data.filter = bilinear", Assert.Throws<InputException>(() => DataSources.Open(Recipe("pets.pack") with { Filter = ResizeFilter.Bicubic }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
        Assert.Equal(6, DataSources.Open(Recipe("pets.pack") with { Size = 6 }, 0, new SilentObserver()).Train.Width);
    }

    [Fact]
    public void SeveralSizes_NeedOneToBeSaid_AndTheFileStaysWhatItWas()
    {
        Pictures.WriteClasses(_folder["pets"], 3);
        Pictures.Write(_folder["pets/cat/large.png"], SKColors.Red, 20, 11);
        File.WriteAllText(_folder["pets.pack"], "before");
        Assert.Contains("several sizes", Assert.Throws<InputException>(() => Pack()).Message, StringComparison.Ordinal);
        Assert.Equal("before", File.ReadAllText(_folder["pets.pack"]));
        Assert.Contains("no images to pack", Assert.Throws<InputException>(() => DataSources.Pack(Recipe("nothing"), _folder["x"], new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnreadableImages_AreSkippedWhereAskedFor()
    {
        Pictures.WriteClasses(_folder["pets"], 3);
        File.WriteAllText(_folder["pets/cat/bad.png"], "text");
        Assert.Throws<InputException>(() => Pack());
        var (images, skipped) = DataSources.Pack(Recipe("pets") with { SkipBadImages = true }, _folder["pets.pack"], new SilentObserver());
        Assert.Equal((6, 1), (images, skipped.Count));
    }

    [Fact]
    public void ATrainedNetworksClasses_AndExtraImages_GoByName()
    {
        Pictures.WriteClasses(_folder["pets"], 10);
        Pack();
        var measured = DataSources.Open(Recipe("pets.pack"), ["bird", "cat", "dog"], 0, new SilentObserver()).Test;
        Assert.Equal([1, 2], Enumerable.Range(0, measured.Count).Select(measured.Label).Distinct().Order());
        var extra = DataSources.Open(Recipe("pets") with { Extra = [_folder["pets.pack"]] }, 0, new SilentObserver()).Extra!;
        Assert.Equal(20, extra.Images.Count);
        Pictures.WriteClasses(_folder["others"], 3);
        Directory.Move(_folder["others/dog"], _folder["others/owl"]);
        Assert.Contains("'dog'", Assert.Throws<InputException>(() => DataSources.Open(Recipe("others") with { Extra = [_folder["pets.pack"]] }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(17, "newer")]
    [InlineData(23, "header")]
    [InlineData(28, "are not")]
    [InlineData(35, "are not")]
    [InlineData(45, "are not")]
    [InlineData(50, "checksum")]
    [InlineData(-1, "checksum")]
    [InlineData(-40, "checksum")]
    public void ADamagedFile_IsOneSentence(int at, string expected)
    {
        Pictures.WriteClasses(_folder["pets"], 3);
        Pack();
        var bytes = File.ReadAllBytes(_folder["pets.pack"]);
        bytes[at < 0 ? bytes.Length + at : at] ^= 0x41;
        File.WriteAllBytes(_folder["pets.pack"], bytes);
        Assert.Contains(expected, Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void ATruncatedOrLongerFile_IsOneSentence()
    {
        Pictures.WriteClasses(_folder["pets"], 3);
        Pack();
        var bytes = File.ReadAllBytes(_folder["pets.pack"]);
        foreach (var length in new[] { 20, 4095, 4096, 5000, bytes.Length - 1 })
        {
            File.WriteAllBytes(_folder["pets.pack"], bytes[..length]);
            Assert.Contains("pack them again", Refused(), StringComparison.Ordinal);
        }

        File.WriteAllBytes(_folder["pets.pack"], [.. bytes, 0]);
        Assert.Contains("longer", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedImage_IsFoundWhenItIsRead_AndNamed()
    {
        Pictures.WriteClasses(_folder["pets"], 3);
        Pack();
        var bytes = File.ReadAllBytes(_folder["pets.pack"]);
        bytes[4096 + (3 * 8 * 8) + 5] ^= 1;
        File.WriteAllBytes(_folder["pets.pack"], bytes);
        var images = PackedImages.Open(_folder["pets.pack"], name => name).Train;
        images.Read(0, new byte[images.BytesPerImage]);
        Assert.Contains(Path.Combine("cat", "01.png"), Assert.Throws<InputException>(() => images.Read(1, new byte[images.BytesPerImage])).Message, StringComparison.Ordinal);
    }

    private DataRecipe Recipe(string source) => new() { Source = _folder[source] };

    private void Pack(int size = 0) => DataSources.Pack(Recipe("pets") with { Size = size }, _folder["pets.pack"], new SilentObserver());

    private string Refused() => Assert.Throws<InputException>(() => DataSources.Open(Recipe("pets.pack"), 0, new SilentObserver())).Message;

    private static void Compare(DataSplits expected, DataSplits found)
    {
        Assert.Equal(expected.Known(new SilentObserver()).Fingerprint(), found.Known(new SilentObserver()).Fingerprint());
        foreach (var (one, other) in new[] { (expected.Train, found.Train), (expected.Validation, found.Validation), (expected.Test, found.Test) })
        {
            Assert.Equal((one.Name, one.Count, one.Height, one.Width), (other.Name, other.Count, other.Height, other.Width));
            Assert.Equal(one.Classes, other.Classes);
            var (planes, others) = (new byte[one.BytesPerImage], new byte[one.BytesPerImage]);
            for (var i = 0; i < one.Count; i++)
            {
                one.Read(i, planes);
                other.Read(i, others);
                Assert.Equal(planes, others);
                Assert.Equal((one.Label(i), one.Identity(i)), (other.Label(i), other.Identity(i)));
            }
        }
    }
}
