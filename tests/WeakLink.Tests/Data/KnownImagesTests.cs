using SkiaSharp;
using WeakLink.Data;
using WeakLink.Sources;

namespace WeakLink.Tests.Data;

public sealed class KnownImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FileNames_Folders_Formats_AndTheSizeOfTheSet_DoNotMatter()
    {
        Pictures.WriteClasses(_folder["a"], 4, 12);
        for (var i = 0; i < 4; i++)
        {
            // In another order, and lossless in another way.
            Pictures.Write(_folder[$"elsewhere/b/cat/{9 - i}.bmp"], new SKColor(200, (byte)(i * 5), 0), 12, 12);
            Pictures.Write(_folder[$"elsewhere/b/dog/{9 - i}.bmp"], new SKColor(0, (byte)(i * 5), 200), 12, 12);
        }

        var images = Known("a");
        Assert.Equal(8, images.Hashes.Distinct().Count());
        Assert.Equal(images.Fingerprint(), Known("elsewhere/b").Fingerprint());
        Assert.NotEqual(images.Hashes, Known("elsewhere/b").Hashes);
        Assert.Equal(images.Hashes, Known("a", new DataRecipe { Size = 8 }).Hashes);
        Assert.Equal(images.Hashes, Known("a", new DataRecipe { CacheMegabytes = 0 }).Hashes);
        Assert.Matches("^[0-9a-f]{32}$", images.Fingerprint());
    }

    [Fact]
    public void Pixels_Classes_Sizes_AndOrientation_DoMatter()
    {
        Pictures.WriteClasses(_folder["a"], 4);
        var before = Known("a").Fingerprint();
        File.Move(_folder["a/cat/00.png"], _folder["x.png"]);
        File.Move(_folder["a/dog/00.png"], _folder["a/cat/00.png"]);
        File.Move(_folder["x.png"], _folder["a/dog/00.png"]);
        Assert.NotEqual(before, Known("a").Fingerprint());

        byte[] grey = [.. Enumerable.Repeat((byte)9, 3 * 6)];
        Assert.Equal(3, new[] { (2, 3), (3, 2), (1, 6) }.Select(size => Of(size.Item1, size.Item2, grey)).Distinct().Count());
        static UInt128 Of(int height, int width, byte[] planes) => new MemoryDataset("grey", ["a"], height, width, [planes], [0]).Hashes([0], new SilentObserver())[0];
    }

    [Fact]
    public void PartsOfASet_AndSeveralSets_KnowTheirImagesByTheSameHashes()
    {
        Pictures.WriteClasses(_folder["a"], 4);
        var whole = FolderDataset.Open(Part("a"), "a", ["cat", "dog"], new DataRecipe(), [], new SilentObserver());
        var known = KnownImages.Of(whole, new SilentObserver());
        Assert.Equal([known.Hashes[5], known.Hashes[2]], KnownImages.Of(new SubsetDataset(whole, [5, 2]), new SilentObserver()).Hashes);
        var joined = new JoinedDataset([new SubsetDataset(whole, [5, 2]), whole]);
        Assert.Equal([known.Hashes[1], known.Hashes[2], known.Hashes[5]], joined.Hashes([3, 1, 0], new SilentObserver()));
    }

    [Fact]
    public void Index_IsAskedTheSecondTime_AndKnowsAnotherFile()
    {
        var (path, other) = (Pictures.Write(_folder["a/one.bmp"], SKColors.Red), Pictures.Write(_folder["a/two.bmp"], SKColors.Blue));
        var hash = Fill();
        Assert.Equal(hash, Fill());
        Assert.False(WritesAnew());

        // Equal length and age, exchanged by name, as images unpacked from one archive could be.
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        File.SetLastWriteTimeUtc(other, DateTime.UnixEpoch);
        Fill();
        File.Move(path, _folder["a/three.bmp"]);
        File.Move(other, path);
        File.Move(_folder["a/three.bmp"], other);
        Assert.NotEqual(hash, Fill());

        UInt128 Fill()
        {
            var index = HashIndex.Open(_folder["cache"], [path, other]);
            var found = index.Of(path);
            index.Of(other);
            index.Save([path, other]);
            return found;
        }

        bool WritesAnew()
        {
            var index = HashIndex.Open(_folder["cache"], [path, other]);
            Directory.Delete(_folder["cache"], true);
            index.Of(path);
            index.Save([path, other]);
            return Directory.Exists(_folder["cache"]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(30)]
    [InlineData(-1)]
    [InlineData(-60)]
    public void DamagedIndex_IsAnEmptyOne(int at)
    {
        // Names of which one is the beginning of the other.
        string[] paths = [Pictures.Write(_folder["a/cat/1.png"], SKColors.Red), Pictures.Write(_folder["a/cats/1.png"], SKColors.Blue)];
        var index = HashIndex.Open(_folder["cache"], paths);
        var hash = index.Of(paths[0]);
        Assert.NotEqual(hash, index.Of(paths[1]));
        index.Save(paths);
        var file = Assert.Single(Directory.GetFiles(_folder["cache/hashes"]));
        var bytes = File.ReadAllBytes(file);
        bytes[at < 0 ? bytes.Length + at : at] ^= 1;
        foreach (var damaged in new[] { bytes, bytes[..Math.Abs(at)], [] })
        {
            File.WriteAllBytes(file, damaged);
            Assert.Equal(hash, HashIndex.Open(_folder["cache"], paths).Of(paths[0]));
        }
    }

    [Fact]
    public void Overlaps_AreCounted_WhateverTheClass()
    {
        var splits = new KnownSplits(Images(1, 2, 3), Images(4, 3), Images(5, 6, 1, 4), Images(6));
        var overlaps = splits.Overlaps();
        Assert.Equal(3, overlaps.Count);
        Assert.StartsWith("2 of the 4 test images are among those that the network is trained on", overlaps[0], StringComparison.Ordinal);
        Assert.StartsWith("1 of the 2 validation images is among the training images", overlaps[1], StringComparison.Ordinal);
        Assert.StartsWith("1 of the 4 test images is among the validation images", overlaps[2], StringComparison.Ordinal);
        Assert.Empty(new KnownSplits(Images(1), Images(2), Images(3)).Overlaps());
        Assert.Empty(splits.Met(Images(7, 8), "images"));
        Assert.StartsWith("3 of the 3 images are among those that the network is trained on", Assert.Single(splits.Met(Images(1, 1, 6), "images")), StringComparison.Ordinal);

        static KnownImages Images(params int[] numbers) => new([.. numbers.Select(number => (UInt128)number)], [.. numbers.Select(number => number % 2)], ["even", "odd"]);
    }

    [Fact]
    public void Fingerprint_OfAllParts_TellsTheSplit_AndTheWholeDoesNot()
    {
        Pictures.WriteClasses(_folder["a"], 10);
        KnownSplits Split(long seed) => DataSources.Open(new DataRecipe { Source = _folder["a"] }, seed, new SilentObserver()).Known(new SilentObserver());
        Assert.Equal(Split(0).Fingerprint(), Split(0).Fingerprint());
        Assert.NotEqual(Split(0).Fingerprint(), Split(1).Fingerprint());
        Assert.Equal(Split(0).WholeFingerprint(), Split(1).WholeFingerprint());
        Assert.Equal(Known("a").Fingerprint(), Split(2).WholeFingerprint());
    }

    private KnownImages Known(string folder, DataRecipe? recipe = null) =>
        KnownImages.Of(FolderDataset.Open(Part(folder), folder, ["cat", "dog"], recipe ?? new DataRecipe(), [], new SilentObserver()), new SilentObserver());

    private FolderPart Part(string folder)
    {
        var root = FolderTree.Read(_folder[folder]);
        return FolderPart.Read(root, [root], new PassedOver())[0];
    }
}
