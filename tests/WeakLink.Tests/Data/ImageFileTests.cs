using SkiaSharp;
using WeakLink.Data;

namespace WeakLink.Tests.Data;

public class ImageFileTests
{
    [Theory]
    [InlineData(".png", 0)]
    [InlineData(".bmp", 0)]
    [InlineData(".webp", 3)]
    [InlineData(".jpg", 3)]
    public void EveryFormat_BecomesRgbPlanes(string extension, int tolerance)
    {
        using var folder = new TemporaryFolder();
        var (planes, width, height) = ImageFile.Decode(Pictures.Write(folder["a" + extension], new SKColor(200, 100, 30), 9, 7));
        Assert.Equal((9, 7, 3 * 63), (width, height, planes.Length));
        foreach (var (channel, expected) in new[] { 200, 100, 30 }.Index())
        {
            Assert.All(planes[(63 * channel)..(63 * (channel + 1))], value => Assert.InRange(value, expected - tolerance, expected + tolerance));
        }
    }

    [Fact]
    public void Gif_GivesItsFirstPicture()
    {
        using var folder = new TemporaryFolder();
        // One pixel of (5, 4, 4), then one of white.
        File.WriteAllBytes(folder["a.gif"], Convert.FromHexString("47494638396101000100800000050404FFFFFF21F904000A0000002C000000000100010000020244010021F904000A0000002C00000000010001000002024C01003B"));
        var (planes, width, height) = ImageFile.Decode(folder["a.gif"]);
        Assert.Equal((1, 1), (width, height));
        Assert.Equal([5, 4, 4], planes);
    }

    [Fact]
    public void Grey_BecomesThreeEqualPlanes()
    {
        using var folder = new TemporaryFolder();
        var planes = ImageFile.Decode(Pictures.Write(folder["grey.png"], new SKColor(90, 90, 90), type: SKColorType.Gray8)).Planes;
        Assert.All(planes, value => Assert.Equal(90, value));
    }

    [Fact]
    public void Transparency_LiesOnWhite()
    {
        using var folder = new TemporaryFolder();
        var planes = ImageFile.Decode(Pictures.Write(folder["alpha.png"], new SKColor(255, 0, 0, 128), 4, 4)).Planes;
        Assert.All(planes[..16], value => Assert.Equal(255, value));
        Assert.All(planes[16..], value => Assert.InRange(value, 126, 128));
    }

    [Fact]
    public void OtherSizes_AreScaledAndCutToTheMiddle()
    {
        using var folder = new TemporaryFolder();
        var path = Pictures.Write(folder["wide.png"], new SKColor(10, 200, 60), 300, 100);
        Assert.Equal((300, 100), ImageFile.Size(path));
        var (planes, width, height) = ImageFile.Decode(path, 32);
        Assert.Equal((32, 32), (width, height));
        Assert.All(planes[..1024], value => Assert.Equal(10, value));
        Assert.All(planes[1024..2048], value => Assert.Equal(200, value));
    }

    [Fact]
    public void BrokenFiles_AreNamed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["text.png"], "no image");
        File.WriteAllBytes(folder["empty.jpg"], []);
        var whole = File.ReadAllBytes(Pictures.Write(folder["whole.jpg"], new SKColor(1, 2, 3), 512, 512));
        File.WriteAllBytes(folder["cut.jpg"], whole[..(whole.Length - 40)]);
        foreach (var name in new[] { "text.png", "empty.jpg", "cut.jpg", "missing.png" })
        {
            Assert.Contains(name, Assert.Throws<InputException>(() => ImageFile.Decode(folder[name])).Message);
        }

        Assert.Contains("truncated", Assert.Throws<InputException>(() => ImageFile.Decode(folder["cut.jpg"])).Message);
    }
}
