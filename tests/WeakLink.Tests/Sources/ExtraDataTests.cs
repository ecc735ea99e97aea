using System.IO.Compression;
using SkiaSharp;
using WeakLink.Files;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class ExtraDataTests
{
    private static readonly string[] Classes = ["cat", "dog", "owl"];

    [Fact]
    public void AFolderOfSomeClasses_IsAddedToTheTrainingImages()
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        var extra = Folder(folder, "extra", ["dog", "owl"], 2, size: 20);
        var splits = DataSources.Open(new DataRecipe { Source = main, Extra = [extra], ExtraFraction = 0.5 }, 0, new SilentObserver());
        Assert.Equal(0.5, splits.Extra!.Fraction);
        Assert.Equal(4, splits.Extra.Images.Count);
        Assert.Equal((16, 16), (splits.Extra.Images.Width, splits.Extra.Images.Height));
        Assert.Equal([1, 1, 2, 2], Enumerable.Range(0, 4).Select(splits.Extra.Images.Label));
        Assert.Equal([18], new[] { splits.Train.Count + splits.Validation.Count + splits.Test.Count });

        // A run refuses other extra images; a measurement does without them.
        var recipe = new DataRecipe { Source = main, Extra = [extra], ExtraFraction = 0.5, Fingerprint = splits.Known(new SilentObserver()).Fingerprint() };
        Assert.NotNull(DataSources.Open(recipe, 0, new SilentObserver()).Extra);
        File.Delete(Path.Combine(extra, "owl", "1.png"));
        Assert.Contains("not those", Assert.Throws<InputException>(() => DataSources.Open(recipe, 0, new SilentObserver())).Message, StringComparison.Ordinal);
        Directory.Delete(extra, recursive: true);
        Assert.Null(DataSources.Open(recipe.WithoutExtra(), 0, new SilentObserver()).Extra);
    }

    [Fact]
    public void ArraysAndArchivesOfThem_AreRead()
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        var arrays = Path.Combine(folder.Path, "generated");
        var pixels = Arrays(arrays, [2, 0], 16);
        var npz = Path.Combine(folder.Path, "more.npz");
        using (var archive = ZipFile.Open(npz, ZipArchiveMode.Create))
        {
            archive.CreateEntryFromFile(Path.Combine(arrays, "image.npy"), "image.npy", CompressionLevel.NoCompression);
            archive.CreateEntryFromFile(Path.Combine(arrays, "label.npy"), "label.npy");
        }

        var splits = DataSources.Open(new DataRecipe { Source = main, Extra = [arrays, npz] }, 0, new SilentObserver());
        var extra = splits.Extra!.Images;
        Assert.Equal([2, 0, 2, 0], Enumerable.Range(0, 4).Select(extra.Label));
        var planes = new byte[extra.BytesPerImage];
        extra.Read(3, planes);
        // Pixel after pixel on disk, plane after plane in memory.
        Assert.Equal(Enumerable.Range(0, 3).SelectMany(channel => Enumerable.Range(0, 256).Select(i => pixels[768 + (3 * i) + channel])), planes);
    }

    // Folders in a class folder are no classes, though an archive's only folder mostly is none either.
    [Theory]
    [InlineData("dog/young dog/old", 4)]
    [InlineData("dog/owl/young dog/owl/old", 4)]
    [InlineData("all/dog/young all/dog/old", 4)]
    [InlineData("dog/cat dog/owl", 4)]
    public void AnArchiveOfOneClass_IsThatClass(string folders, int images)
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        Folder(folder, "packed", folders.Split(' '), 2);
        ZipFile.CreateFromDirectory(folder["packed"], folder["extra.zip"]);
        var extra = DataSources.Open(new DataRecipe { Source = main, Extra = [folder["extra.zip"]] }, 0, new SilentObserver()).Extra!.Images;
        Assert.Equal(images, extra.Count);
        var expected = folders == "dog/cat dog/owl" ? [0, 2] : folders.Contains("owl", StringComparison.Ordinal) ? [2] : (int[])[1];
        Assert.Equal(expected, Enumerable.Range(0, images).Select(extra.Label).Distinct().Order());
    }

    [Theory]
    [InlineData("strange", "'wolf'")]
    [InlineData("nowhere", "no extra images")]
    [InlineData("label", "label 3")]
    [InlineData("count", "2 images")]
    [InlineData("size", "data.size")]
    public void WhatCantBeAdded_IsNamed(string fault, string inMessage)
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        var extra = Path.Combine(folder.Path, "extra");
        switch (fault)
        {
            case "strange":
                Folder(folder, "extra", ["dog", "wolf"], 2);
                break;
            case "label":
                Arrays(extra, [1, 3], 16);
                break;
            case "count":
                Arrays(extra, [1, 2], 16);
                File.WriteAllBytes(Path.Combine(extra, "label.npy"), [.. NumpyFile.Header("|u1", [1]), 0]);
                break;
            case "size":
                Arrays(extra, [1, 2], 8);
                break;
        }

        var error = Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = main, Extra = [extra] }, 0, new SilentObserver()));
        Assert.Contains(inMessage, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExtraImagesAmongTheClassFolders_WouldBeAClass_AndAreRefused()
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        Folder(folder, "main/extra", Classes, 2);
        Assert.Contains("move them out", Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = main, Extra = [Path.Combine(main, "extra")] }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFractionWithoutImages_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var main = Folder(folder, "main", Classes, 6);
        Assert.Contains("in data.extra", Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = main, ExtraFraction = 0.5 }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    private static string Folder(TemporaryFolder root, string name, string[] classes, int images, int size = 16)
    {
        var folder = Path.Combine(root.Path, name);
        foreach (var label in classes)
        {
            Directory.CreateDirectory(Path.Combine(folder, label));
            for (var i = 0; i < images; i++)
            {
                using var bitmap = new SKBitmap(size, size);
                bitmap.Erase(new SKColor((byte)(40 * i), (byte)label.Length, (byte)label[0]));
                using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
                File.WriteAllBytes(Path.Combine(folder, label, $"{i}.png"), encoded.ToArray());
            }
        }

        return folder;
    }

    private static byte[] Arrays(string folder, byte[] labels, int size)
    {
        Directory.CreateDirectory(folder);
        var pixels = Enumerable.Range(0, labels.Length * size * size * 3).Select(i => (byte)((i * 31) + (i / 256))).ToArray();
        File.WriteAllBytes(Path.Combine(folder, "image.npy"), [.. NumpyFile.Header("|u1", [labels.Length, size, size, 3]), .. pixels]);
        File.WriteAllBytes(Path.Combine(folder, "label.npy"), [.. NumpyFile.Header("|u1", [labels.Length]), .. labels]);
        return pixels;
    }
}
