using System.Buffers.Binary;
using System.IO.Hashing;
using SkiaSharp;
using WeakLink.Sources;
using WeakLink.Tests.Augmentations;
using WeakLink.Tests.Core;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

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
    public void APipe_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names");
        using var folder = new TemporaryFolder();
        var pipe = Pipes.Make(folder["a.png"]);
        Assert.Contains("is a pipe or a device", Assert.Throws<InputException>(() => ImageFile.Decode(pipe)).Message, StringComparison.Ordinal);
    }

    // 730 bytes made Skia ask for 400 MB before it saw that they are damaged.
    [Fact]
    public void AFileThatClaimsMorePixelsThanItCanHold_IsRefusedBeforeItIsDecoded()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(Pictures.Write(folder["a.png"], SKColors.Red, 9, 7));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 9_000);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 9_000);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), Crc32.HashToUInt32(bytes.AsSpan(12, 17)));
        File.WriteAllBytes(folder["a.png"], bytes);
        Assert.Contains("9000x9000 pixels can't be in its", Assert.Throws<InputException>(() => ImageFile.Decode(folder["a.png"])).Message, StringComparison.Ordinal);
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

    // torchvision's Resize(size) and CenterCrop(size), made with Pillow 9.4 (resize(..., Image.BILINEAR), crop) of Samples.Image(height, width).
    [Theory]
    [InlineData(7, 6, 6, "00254A6F94B93D6791BBE50F7AA9D8073665B7EB1F5387BBF42D669FD811316FADEB296753789DC2E70C90BAE40E3862CDFC2B5A89B80A3E72A6DA0E4780B9F22B6484C2003E7CBAA6CBF0153A5FE30D37618BB5204F7EADDC0B5D91C5F92D619AD30C457EB7D7155391CF0D")]
    [InlineData(6, 9, 6, "4A6F94B9DE0391BBE50F3963D807366594C31F5387BBEF23669FD8114A83ADEB2967A5E39DC2E70C3156E40E38628CB62B5A89B8E71672A6DA0E4276B9F22B649DD6003E7CBAF836F0153A5F84A937618BB5DF097EADDC0B3A69C5F92D6195C90C457EB7F0295391CF0D4B89")]
    [InlineData(9, 6, 6, "7AA9D8073665B7EB1F5387BBF42D669FD811316FADEB29676EB1F4377ABDABF33B83CB13CDFC2B5A89B80A3E72A6DA0E4780B9F22B6484C2003E7CBAC104478ACD10FE468ED61E66204F7EADDC0B5D91C5F92D619AD30C457EB7D7155391CF0D14579ADD20635199E12971B9")]
    [InlineData(7, 7, 6, "133E68939CB85889979B534D9EB25E447BB2C96E5F9C77886B6DB192527D6FB9A86398396691A6B6513BABC3703E6FA0818B609781953774B29E506B7D89546B8CD09B2D56A15C65B0B48339638E8D2F60918BA3447BB3AB4E588A9A757380BEAF4A579B66733C5FA97F4D88")]
    [InlineData(8, 11, 6, "4E839D993D58A0796C5896998C5181B07382639F7A5D8CA3B3956C6D7C72A57887448A9AA19A7C3F7588AF4D70A67D6C6E9289636D98869E61978D5341608A8B7E8958A0547AB769A74F608F87B1468492794F7A94B86172A79F616387A26E7B59A06263A25CAB75745E6D93")]
    [InlineData(13, 12, 6, "4E80836D76789E6F7C888B907E97737C8284A1876F67847E7A726C666A789F8E747589689A8A6E777A8C76867C797974766D808D7B87837F6C86897A7D6B69667391847968748297866F787B8A7672917A8793827475778472797C836C6E8C8A70746569809B86896175818A")]
    [InlineData(12, 19, 5, "8373797C6F76868B837C84718074767567798282696D748D797878797270837A7A7B7D768B7F8A8A7370888785656B788A8E747B877580848687767B797B768E82716D8E8D7F70697C8880")]
    [InlineData(31, 47, 5, "7E7E80867E797D827F86807780817A7D848083767C858880857C7E7C848880827F7F8776777E7D887D757C7D8E7E7F817E88807C817F818182827F7F8386807F8384887E83817C7F838386")]
    [InlineData(64, 64, 5, "7B7E827F7E7C807F7C7E7F8181807D7E8085887D81837F817B7C7F83847D7C7A83867D828081847D818289897A828085837C7D8180807E828381807D7C7E7F7F7C7E8077747D7F8080817E")]
    [InlineData(100, 7, 5, "64354A5E707C97AB98B3AB788A4B6D5659859AC587BB8E4276768893A5B793AE4C4D68284B749EC081979C4F7AB95B55897CBDCF6C66774863637A957B9EB07193AE8163667839669EB14D")]
    [InlineData(3, 5, 6, "1C2E415366782C3F5365798C4D61768A9EB36D83989E94998DA4BBA259409DB5CCA43B136F8194A6B9CB7F92A6A89C9FA0B4C9AD6146C0C6BB91472CE0C77E554C53F0C85F374E66C2D4E7B94C1EA2A5B99B4F3263475C60545943293E546A7F434A61788FA6435B728AA1B9")]
    [InlineData(4, 4, 7, "000D22384D626F16243A50667C8A39485F778FA7B65C6C859FAF7F617E8FABBDBD510CA1B3D09A5E4638B7CAE7852340535360758BA0B5C269778DA3B394828C9BB2CAD1601BAFBFD8B2825234BFD0EB90334E5F50627E6D5C798B0A1D3A587693A6A6B3C8DEE06315BCA98B9BA55D30DF99282F46535C826434455E77872435516C86A1B247597693AFCCDE5D708DABC9E6F9")]
    [InlineData(1, 1, 4, "0000000000000000000000000000000053535353535353535353535353535353A6A6A6A6A6A6A6A6A6A6A6A6A6A6A6A6")]
    [InlineData(2, 90, 4, "5365788A596C7F9265798EA26B8095AAA6B8CBDDACBFD2D5B8CCE1C5BED3E8BD390B1E303F1225384B1F344851263B50")]
    [InlineData(1, 3, 3, "1925311925311925316C78846C78846C7884BFCBD7BFCBD7BFCBD7")]
    public void ScaledAndCut_EqualsTorchvision(int height, int width, int size, string planes)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(planes, Convert.ToHexString(ImageFile.Decode(Pictures.Write(folder["a.png"], Samples.Image(height, width), height, width), size).Planes));
    }

    // The same for larger pictures: the checksum of the planes.
    [Theory]
    [InlineData(375, 500, 256, 0xB3188D47)]
    [InlineData(500, 375, 224, 0x456FAD9B)]
    [InlineData(150, 2000, 64, 0x7DDAC958)]
    [InlineData(224, 230, 256, 0xB838C401)]
    [InlineData(33, 47, 64, 0xEB5EE60B)]
    [InlineData(901, 1203, 299, 0x16FA5737)]
    [InlineData(257, 256, 256, 0x06148CD9)]
    public void LargerOnes_EqualTorchvisionsToo(int height, int width, int size, uint checksum)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(checksum, Crc32.HashToUInt32(ImageFile.Decode(Pictures.Write(folder["a.png"], Samples.Image(height, width), height, width), size).Planes));
    }

    // Of squares of one pixel nothing but their mean is left, whatever the ratio (the standard deviations are Pillow's).
    [Theory]
    [InlineData(80, 11.94)]
    [InlineData(90, 4.38)]
    [InlineData(96, 1.71)]
    [InlineData(110, 0.43)]
    [InlineData(127, 0.11)]
    [InlineData(128, 0.08)]
    [InlineData(150, 0.44)]
    public void WhatIsFinerThanTheNewPixels_IsAveraged(int side, double deviation)
    {
        using var folder = new TemporaryFolder();
        var board = new byte[3 * side * side];
        for (var i = 0; i < board.Length; i++)
        {
            board[i] = (byte)(255 * (((i % side) + (i / side % side)) % 2));
        }

        var levels = ImageFile.Decode(Pictures.Write(folder["board.png"], board, side, side), 64).Planes.Select(level => (double)level).ToArray();
        Assert.Equal(127.5, levels.Average(), 0.5);
        Assert.Equal(deviation, Math.Sqrt(levels.Average(level => (level - levels.Average()) * (level - levels.Average()))), 0.005);
    }

    [Theory]
    [InlineData(77)]
    [InlineData(100)]
    [InlineData(181)]
    [InlineData(33)]
    public void ARamp_StaysOne(int side)
    {
        using var folder = new TemporaryFolder();
        var ramp = new byte[3 * side * side];
        for (var i = 0; i < ramp.Length; i++)
        {
            ramp[i] = (byte)(255 * ((i % side) + 0.5) / side);
        }

        var row = ImageFile.Decode(Pictures.Write(folder["ramp.png"], ramp, side, side), 64).Planes[..64];
        foreach (var (x, level) in row.Index().Skip(4).SkipLast(4))
        {
            // Two roundings, of the picture (downwards) and of the result.
            Assert.InRange(level - (255 * (x + 0.5) / 64), -1.6, 0.6);
        }
    }

    // Pillow's ImageOps.exif_transpose of Samples.Image(2, 3).
    [Theory]
    [InlineData(1, 3, 2, "00254A3D679153789D90BAE4A6CBF0E30D37")]
    [InlineData(2, 3, 2, "4A250091673D9D7853E4BA90F0CBA6370DE3")]
    [InlineData(3, 3, 2, "91673D4A2500E4BA909D7853370DE3F0CBA6")]
    [InlineData(4, 3, 2, "3D679100254A90BAE453789DE30D37A6CBF0")]
    [InlineData(5, 2, 3, "003D25674A91539078BA9DE4A6E3CB0DF037")]
    [InlineData(6, 2, 3, "3D006725914A9053BA78E49DE3A60DCB37F0")]
    [InlineData(7, 2, 3, "914A67253D00E49DBA78905337F00DCBE3A6")]
    [InlineData(8, 2, 3, "4A912567003D9DE478BA5390F037CB0DA6E3")]
    public void TheOrientationOfAPng_IsApplied(ushort orientation, int width, int height, string planes)
    {
        using var folder = new TemporaryFolder();
        var plain = File.ReadAllBytes(Pictures.Write(folder["plain.png"], Samples.Image(2, 3), 2, 3));
        foreach (var little in new[] { true, false })
        {
            foreach (var chunk in new[] { "IDAT", "IEND" })
            {
                File.WriteAllBytes(folder["a.png"], Pictures.WithOrientation(plain, chunk, orientation, little));
                Assert.Equal((width, height), ImageFile.Size(folder["a.png"]));
                var decoded = ImageFile.Decode(folder["a.png"]);
                Assert.Equal((width, height, planes), (decoded.Width, decoded.Height, Convert.ToHexString(decoded.Planes)));
            }
        }
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".jpg")]
    public void ATurnedPicture_IsScaledAsItIsSeen(string extension)
    {
        using var folder = new TemporaryFolder();
        const int Transposed = 5;
        var plain = File.ReadAllBytes(Pictures.Write(folder["plain" + extension], Samples.Image(37, 53), 37, 53));
        File.WriteAllBytes(folder["a" + extension], extension == ".png" ? Pictures.WithOrientation(plain, "IDAT", Transposed, little: true) : Pictures.JpegWithOrientation(plain, Transposed));
        Assert.Equal((37, 53), ImageFile.Size(folder["a" + extension]));
        var turned = ImageFile.Decode(folder["a" + extension], 16).Planes;

        var upright = ImageFile.Decode(folder["plain" + extension]).Planes;
        var columns = Enumerable.Range(0, upright.Length).Select(i => upright[(i / (37 * 53) * 37 * 53) + (i % 37 * 53) + (i / 37 % 53)]).ToArray();
        Assert.Equal(ImageFile.Decode(Pictures.Write(folder["columns.png"], columns, 53, 37), 16).Planes, turned);
    }

    [Fact]
    public void ADamagedOrientation_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var png = Pictures.WithOrientation(File.ReadAllBytes(Pictures.Write(folder["plain.png"], Samples.Image(2, 3), 2, 3)), "IDAT", 6, little: true);
        png[png.AsSpan().IndexOf("eXIf"u8) + 10] ^= 1;
        File.WriteAllBytes(folder["a.png"], png);
        Assert.Contains("eXIf", Assert.Throws<InputException>(() => ImageFile.Decode(folder["a.png"])).Message);
    }

    // Rounded as Pillow's alpha_composite is: (level × alpha + 255 × (255 − alpha)) / 255.
    [Fact]
    public void EveryTransparency_LiesOnWhite()
    {
        using var folder = new TemporaryFolder();
        using (var bitmap = new SKBitmap(new SKImageInfo(256, 256, SKColorType.Rgba8888, SKAlphaType.Unpremul)))
        {
            for (var i = 0; i < 65536; i++)
            {
                bitmap.SetPixel(i % 256, i / 256, new SKColor((byte)(i % 256), (byte)(255 - (i % 256)), 7, (byte)(i / 256)));
            }

            using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(folder["a.png"], data.ToArray());
        }

        var planes = ImageFile.Decode(folder["a.png"]).Planes;
        for (var i = 0; i < 65536; i++)
        {
            var (level, alpha) = (i % 256, i / 256);
            Assert.Equal((byte)Math.Round(((level * alpha) + (255 * (255 - alpha))) / 255.0), planes[i]);
        }
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
