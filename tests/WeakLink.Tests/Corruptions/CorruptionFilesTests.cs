using SkiaSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Corruptions;

public sealed class CorruptionFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dataset _images = new MemoryDataset(
        "images", ["a", "b"], 31, 47, [.. Enumerable.Range(0, 5).Select(i => CorruptionTests.Image(31 + i, 47)[(3 * 47 * i)..])], [0, 1, 1, 0, 1]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Npy_WhatIsWritten_IsWhatIsMadeOnTheFly()
    {
        var settings = Settings("fog,snow", CorruptionLayout.Npy);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        foreach (var corruption in settings.Corruptions)
        {
            for (var severity = 1; severity <= 5; severity++)
            {
                var made = new CorruptedDataset(_images, new CentreCrop(31, 47), corruption, severity, seed: 3);
                var read = written.Images(corruption, severity, new SilentObserver());
                Assert.Equal(Bytes(made), Bytes(read));
                Assert.Equal([0, 1, 1, 0, 1], Enumerable.Range(0, 5).Select(read.Label));
            }
        }
    }

    // Five images of two severities: ten, which five severities of two images would be as well.
    [Theory]
    [InlineData(CorruptionLayout.Npy)]
    [InlineData(CorruptionLayout.Folders)]
    public void FewerSeverities_AreReadAsWhatTheyAre(CorruptionLayout layout)
    {
        var settings = Settings("contrast", layout) with { Severities = [2, 4] };
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        Assert.Equal([2, 4], written.Severities);
        foreach (var severity in written.Severities)
        {
            var read = written.Images(settings.Corruptions[0], severity, new SilentObserver());
            Assert.Equal(5, read.Count);
            if (layout == CorruptionLayout.Npy)
            {
                Assert.Equal(Bytes(new CorruptedDataset(_images, new CentreCrop(31, 47), settings.Corruptions[0], severity, seed: 3)), Bytes(read));
            }
        }

        Assert.Contains("holds severities 2, 4 only", Assert.Throws<InputException>(() => written.Images(settings.Corruptions[0], 3, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("null")]
    [InlineData("{\"severities\": []}")]
    [InlineData("{\"severities\": [4, 2]}")]
    [InlineData("{\"severities\": [2, 6]}")]
    public void DamagedManifest_OneSentence(string json)
    {
        File.WriteAllText(Path.Combine(_folder.Path, "corruptions.json"), json);
        var error = Assert.Throws<InputException>(() => CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe()));
        Assert.Contains("does not say which severities", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Npy_Interrupted_GoesOnToTheSameFiles()
    {
        var settings = Settings("fog,snow,contrast", CorruptionLayout.Npy);
        using var whole = new TemporaryFolder();
        CorruptionWriter.Write(_images, settings, whole.Path, new SilentObserver());

        CorruptionWriter.Write(_images, settings with { Corruptions = settings.Corruptions.Take(1).ToList() }, _folder.Path, new SilentObserver());
        File.WriteAllBytes(Path.Combine(_folder.Path, "snow.npy.99.partial"), [1, 2, 3]);
        var kept = File.GetLastWriteTimeUtc(Path.Combine(_folder.Path, "fog.npy"));
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());

        Assert.Equal(kept, File.GetLastWriteTimeUtc(Path.Combine(_folder.Path, "fog.npy")));
        Assert.Equal(Names(whole.Path), Names(_folder.Path));
        Assert.All(Names(whole.Path), name => Assert.Equal(File.ReadAllBytes(Path.Combine(whole.Path, name)), File.ReadAllBytes(Path.Combine(_folder.Path, name))));
    }

    [Fact]
    public void AFolderThatAnotherCommandWritesInto_IsLeftAlone()
    {
        var settings = Settings("fog,snow", CorruptionLayout.Npy);
        Exception? met = null;
        CorruptionWriter.Write(_images, settings, _folder.Path, new Meanwhile(() => met ??= Record.Exception(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver()))));
        Assert.Contains("Another process is writing into", Assert.IsType<InputException>(met).Message, StringComparison.Ordinal);
        Assert.Equal(["corruptions.json", "fog.npy", "labels.npy", "snow.npy"], Names(_folder.Path).Order(StringComparer.Ordinal));
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
    }

    private sealed class Meanwhile(Action act) : IRunObserver
    {
        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "") => act();

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }
    }

    [Fact]
    public void Folders_AreThoseOfImageNetC_AndAreRead()
    {
        var settings = Settings("contrast", CorruptionLayout.Folders);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        Assert.Equal(["000000.jpg", "000003.jpg"], Directory.GetFiles(Path.Combine(_folder.Path, "contrast", "5", "a")).Select(Path.GetFileName).Order());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        var read = written.Images(settings.Corruptions[0], 5, new SilentObserver());
        Assert.Equal((5, 31, 47), (read.Count, read.Height, read.Width));
    }

    [Fact]
    public void OtherSettings_OrAnOccupiedFolder_AreRefused()
    {
        var settings = Settings("contrast", CorruptionLayout.Npy);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings with { Seed = 4 }, _folder.Path, new SilentObserver()));
        using var occupied = new TemporaryFolder();
        File.WriteAllText(Path.Combine(occupied.Path, "thesis.txt"), "");
        Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, occupied.Path, new SilentObserver()));
    }

    [Fact]
    public void TheSameSettings_OfOtherImagesOfThatNameAndNumber_AreRefused_AndOfTheSameUnderAnotherName_GoOn()
    {
        var settings = Settings("contrast", CorruptionLayout.Npy);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        MemoryDataset Set(string name, int last, int lastLabel = 1) => new(
            name, ["a", "b"], 31, 47, [.. Enumerable.Range(0, 4).Append(last).Select(i => CorruptionTests.Image(31 + i, 47)[(3 * 47 * i)..])], [0, 1, 1, 0, lastLabel]);
        CorruptionWriter.Write(Set("renamed", 4), settings, _folder.Path, new SilentObserver());
        foreach (var other in new[] { Set("images", 3), Set("images", 4, lastLabel: 0) })
        {
            Assert.Contains("of other images", Assert.Throws<InputException>(() => CorruptionWriter.Write(other, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
        }

        AsOlderVersionsWroteIt();
        Assert.Contains("older version", Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CorruptionLayout.Npy)]
    [InlineData(CorruptionLayout.Folders)]
    public void APart_IsCorruptedAsInTheWhole(CorruptionLayout layout)
    {
        var settings = Settings("frost,spatter", layout) with { Severities = [3] };
        CorruptionWriter.Write(_images, settings, _folder["whole"], new SilentObserver());
        int[] chosen = [3, 1];
        CorruptionWriter.Write(new SubsetDataset(_images, chosen), settings, _folder["part"], new SilentObserver());
        Assert.Equal([3, 1], CorruptionManifest.Read(_folder["part"])!.Identities!);
        foreach (var corruption in settings.Corruptions)
        {
            Assert.Equal(Written("whole").Where((_, i) => chosen.Contains(i)), Written("part").Reverse());

            // In the order in which they were given.
            IEnumerable<string> Written(string folder)
            {
                using var opened = CorruptionFolder.Open(_folder[folder], _images.Classes, new DataRecipe());
                var read = opened.Images(corruption, 3, new SilentObserver());
                return Bytes(read)
                    .Select((bytes, i) => (Place: layout == CorruptionLayout.Npy ? $"{i}" : Path.GetFileName(read.Describe(i)), Text: Convert.ToHexString(bytes)))
                    .OrderBy(one => one.Place, StringComparer.Ordinal)
                    .Select(one => one.Text);
            }
        }
    }

    [Fact]
    public void AFolderOfAVersionThatDrewByPlace_IsRead_ButNotGoneOnWith()
    {
        var settings = Settings("fog", CorruptionLayout.Npy);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        var path = Path.Combine(_folder.Path, "corruptions.json");
        File.WriteAllText(path, (CorruptionManifest.Read(_folder.Path)! with { Identities = null }).ToJson());
        using (var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe()))
        {
            Assert.Equal(5, written.Images(settings.Corruptions[0], 2, new SilentObserver()).Count);
            Assert.NotNull(written.Originals);
        }

        Assert.Contains("older version, whose random draws", Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
        File.WriteAllText(path, (CorruptionManifest.Read(_folder.Path)! with { Identities = [0, 1, 2, 4, 3] }).ToJson());
        Assert.Contains("other names or numbers", Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
        File.WriteAllText(path, (CorruptionManifest.Read(_folder.Path)! with { Identities = [0, 1] }).ToJson());
        Assert.Contains("does not list the images", Assert.Throws<InputException>(() => CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CorruptionLayout.Npy)]
    [InlineData(CorruptionLayout.Folders)]
    public void Classes_AreTakenByName(CorruptionLayout layout)
    {
        var settings = Settings("contrast", layout);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, ["b", "c", "a"], new DataRecipe());
        var read = written.Images(settings.Corruptions[0], 2, new SilentObserver());
        Assert.Equal(layout == CorruptionLayout.Npy ? [2, 0, 0, 2, 0] : [2, 2, 0, 0, 0], Enumerable.Range(0, 5).Select(read.Label));
        Assert.Equal(KnownImages.Of(_images, new SilentObserver()).Hashes, written.Originals!.Hashes);
        Assert.Equal((47, 31), written.Size);
        Assert.Contains("class 'b'", Assert.Throws<InputException>(() => CorruptionFolder.Open(_folder.Path, ["a", "c"], new DataRecipe())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_ThatLackAnImage_HoldAStranger_OrHaveItInAnotherClass_AreRefused()
    {
        var settings = Settings("contrast", CorruptionLayout.Folders);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        string At(string relative) => Path.Combine(_folder.Path, "contrast", relative);
        File.Delete(At("1/a/000003.jpg"));
        File.Move(At("2/a/000003.jpg"), At("2/b/000003.jpg"));
        File.Copy(At("3/a/000003.jpg"), At("3/a/000009.jpg"));
        Fails(1, "lacks 1 of its 5 images, such as 000003.jpg");
        Fails(2, "000003.jpg' is not one of the images");
        Fails(3, "000009.jpg' is not one of the images");
        AsOlderVersionsWroteIt();
        Fails(1, "has 4 images");
        using var older = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        Assert.Null(older.Originals);
        Assert.Equal(5, older.Images(settings.Corruptions[0], 4, new SilentObserver()).Count);

        void Fails(int severity, string part)
        {
            using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
            Assert.Contains(part, Assert.Throws<InputException>(() => written.Images(settings.Corruptions[0], severity, new SilentObserver())).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(CorruptionLayout.Npy, "contrast.npy")]
    [InlineData(CorruptionLayout.Folders, "contrast/2/b/000002.jpg")]
    public void WhatWasChangedAfterwards_IsRefused_ByWhoReadsIt_AndByWhoWouldGoOn(CorruptionLayout layout, string file)
    {
        var settings = Settings("contrast", layout);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        var path = Path.Combine(_folder.Path, file);
        var bytes = File.ReadAllBytes(path);
        var damaged = bytes.ToArray();
        damaged[^40] ^= 1;
        File.WriteAllBytes(path, damaged);
        Assert.Contains("changed or damaged", Assert.Throws<InputException>(Read).Message, StringComparison.Ordinal);
        Assert.Contains("changed or damaged", Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, bytes);
        Read();

        void Read()
        {
            using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
            _ = written.Images(settings.Corruptions[0], 2, new SilentObserver());
        }
    }

    [Fact]
    public void FrostOfOtherTextures_OrImagesCutOutOfLargerOnes_AreOtherSettings()
    {
        CorruptionWriter.Write(_images, Settings("fog", CorruptionLayout.Npy), _folder.Path, new SilentObserver());
        CorruptionWriter.Write(_images, Settings("frost", CorruptionLayout.Npy), _folder.Path, new SilentObserver());
        CorruptionWriter.Write(_images, Settings("fog,frost", CorruptionLayout.Npy), _folder.Path, new SilentObserver());
        using var ice = new TemporaryFolder();
        Pictures.Write(ice["frost1.png"], SKColors.Red, 60, 60);
        Refused(Settings("fog", CorruptionLayout.Npy) with { Corruptions = CommonCorruptions.Named("frost", ice.Path) });
        Refused(Settings("fog", CorruptionLayout.Npy) with { Crop = new CentreCrop(20, 30) });

        void Refused(CorruptionSettings settings) => Assert.Contains(
            "other settings", Assert.Throws<InputException>(() => CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    // As long as the remedy says "remove it and give the command again", that has to help.
    [Theory]
    [InlineData(CorruptionLayout.Npy, "contrast.npy")]
    [InlineData(CorruptionLayout.Folders, "contrast/2")]
    public void WhatWasRemoved_IsWrittenAndListedAnew(CorruptionLayout layout, string piece)
    {
        var settings = Settings("contrast", layout);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        var manifest = Path.Combine(_folder.Path, "corruptions.json");
        // As if another machine, which rounds otherwise, had written it.
        var other = CorruptionManifest.Read(_folder.Path)!;
        other.Checksums![piece] = new string('0', 32);
        File.WriteAllText(manifest, other.ToJson());
        var path = Path.Combine(_folder.Path, piece);
        if (layout == CorruptionLayout.Npy)
        {
            File.Delete(path);
        }
        else
        {
            Directory.Delete(path, recursive: true);
        }

        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        Assert.Equal(5, written.Images(settings.Corruptions[0], 2, new SilentObserver()).Count);
    }

    [Fact]
    public void WhatTheListDoesNotName_IsRefused_AndWrittenAgain()
    {
        var settings = Settings("contrast", CorruptionLayout.Npy);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        var path = Path.Combine(_folder.Path, "fog.npy");
        File.Copy(Path.Combine(_folder.Path, "contrast.npy"), path);
        var fog = Settings("fog", CorruptionLayout.Npy);
        using (var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe()))
        {
            Assert.Contains("not listed as finished", Assert.Throws<InputException>(() => written.Images(fog.Corruptions[0], 1, new SilentObserver())).Message, StringComparison.Ordinal);
        }

        CorruptionWriter.Write(_images, fog, _folder.Path, new SilentObserver());
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(_folder.Path, "contrast.npy")), File.ReadAllBytes(path));
    }

    [Fact]
    public void Folders_AreNeverScaled()
    {
        var settings = Settings("contrast", CorruptionLayout.Folders);
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe { Size = 64, SkipBadImages = true });
        var read = written.Images(settings.Corruptions[0], 1, new SilentObserver());
        Assert.Equal((31, 47), (read.Height, read.Width));
        Pictures.Write(Path.Combine(_folder.Path, "contrast/2/a/000003.jpg"), SKColors.Red, 20, 20);
        Assert.Contains("several sizes", Assert.Throws<InputException>(() => written.Images(settings.Corruptions[0], 2, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_ThatAreNotThoseOfTheList_AreRefused()
    {
        CorruptionWriter.Write(_images, Settings("contrast", CorruptionLayout.Npy), _folder.Path, new SilentObserver());
        WriteArray("labels.npy", "<i8", [25], 200);
        Assert.Contains("does not hold the labels", Assert.Throws<InputException>(() => CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AListThatIsNotThatOfItsChecksum_IsRefused()
    {
        CorruptionWriter.Write(_images, Settings("contrast", CorruptionLayout.Npy), _folder.Path, new SilentObserver());
        var path = Path.Combine(_folder.Path, "corruptions.json");
        var text = File.ReadAllText(path);
        var hash = KnownImages.Of(_images, new SilentObserver()).Hashes[1].ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (old, altered) in new[] { (hash, new string('0', 32)), (hash, "no hash"), ("\"b\"", "\"c\""), ("\"images\": 5", "\"images\": 6") })
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            File.WriteAllText(path, text.Replace(old, altered, StringComparison.Ordinal));
            Assert.Contains("write the folder again", Assert.Throws<InputException>(() => CorruptionFolder.Open(_folder.Path, ["a", "b", "c"], new DataRecipe())).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatANetworkSees_IsCutBeforeItIsCorrupted()
    {
        var settings = Settings("fog", CorruptionLayout.Npy) with { Crop = new CentreCrop(20, 30) };
        CorruptionWriter.Write(_images, settings, _folder.Path, new SilentObserver());
        using var written = CorruptionFolder.Open(_folder.Path, _images.Classes, new DataRecipe());
        Assert.Equal((30, 20), written.Size);
        Assert.Equal(
            Bytes(new CorruptedDataset(_images, settings.Crop!.Value, settings.Corruptions[0], 4, seed: 3)), Bytes(written.Images(settings.Corruptions[0], 4, new SilentObserver())));
        using var sheet = SKBitmap.Decode(ContactSheet.Draw(_images, settings));
        Assert.NotNull(sheet);
    }

    [Fact]
    public void BadFolders_OneSentence()
    {
        var fog = CommonCorruptions.Named("fog")[0];
        Fails("does not exist", Path.Combine(_folder.Path, "nowhere"));
        Fails("neither", _folder.Path);
        WriteArray("labels.npy", "<i8", [10], 80);
        Fails("has no fog.npy", _folder.Path);
        WriteArray("fog.npy", "<f4", [10, 2, 2, 3], 480);
        Fails("expected bytes", _folder.Path);
        WriteArray("fog.npy", "|u1", [10, 3, 2, 2], 120);
        Fails("shape", _folder.Path);
        WriteArray("fog.npy", "|u1", [15, 2, 2, 3], 180);
        Fails("labels.npy 10 labels", _folder.Path);
        WriteArray("fog.npy", "|u1", [0, 2, 2, 3], 0);
        Fails("no images", _folder.Path);
        WriteArray("labels.npy", "<i8", [10], 80, fill: 7);
        Fails("2 classes", _folder.Path);

        void Fails(string part, string folder)
        {
            var error = Assert.Throws<InputException>(() =>
            {
                using var opened = CorruptionFolder.Open(folder, _images.Classes, new DataRecipe());
                _ = opened.Images(fog, 1, new SilentObserver());
            });
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
    }

    // The list in an archive, or of an imported network, may name anything.
    [Theory]
    [InlineData("../../outside")]
    [InlineData("/tmp/outside")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    public void Folders_OfClassesThatLeadElsewhere_AreNeitherWrittenNorRead(string name)
    {
        var images = new MemoryDataset("images", ["a", name], 31, 47, [.. Bytes(_images)], [0, 1, 1, 0, 1]);
        var target = Path.Combine(_folder.Path, "deep", "deeper");
        Assert.Contains("can't be the name of a folder", Assert.Throws<InputException>(() => CorruptionWriter.Write(images, Settings("fog", CorruptionLayout.Folders), target, new SilentObserver())).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));

        var settings = Settings("fog", CorruptionLayout.Folders);
        File.WriteAllText(Path.Combine(_folder.Path, "corruptions.json"), CorruptionManifest.Of(images, KnownImages.Of(images, new SilentObserver()), 47, 31, settings).ToJson());
        Assert.Contains("no folder can be called", Assert.Throws<InputException>(() => CorruptionManifest.Read(_folder.Path)).Message, StringComparison.Ordinal);
        CorruptionWriter.Write(images, Settings("fog", CorruptionLayout.Npy), target, new SilentObserver());
    }

    [Fact]
    public void Sheet_IsAPictureOfEverySeverity()
    {
        using var sheet = SKBitmap.Decode(ContactSheet.Draw(_images, Settings("fog,frost", CorruptionLayout.Npy)));
        Assert.Equal(6 * (94 + 4) + 4, sheet.Width);
    }

    [Fact]
    public void FrostTextures_OfTheUser_AreUsed()
    {
        using (var bitmap = new SKBitmap(400, 400))
        {
            bitmap.Erase(new SKColor(200, 100, 50));
            using var file = File.Create(Path.Combine(_folder.Path, "frost1.png"));
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        }

        var frost = CommonCorruptions.Named("frost", _folder.Path)[0];
        var black = new byte[3 * 32 * 32];
        var result = new byte[black.Length];
        frost.Apply(new WeakLink.Imaging.ImageView(black, 32, 32), SeverityTable.Cifar, 5, new SeededRandom(0, RandomUse.Corruption), result);
        Assert.Equal((90, 45, 22), (result[0], result[1024], result[2048]));
        using var empty = new TemporaryFolder();
        Assert.Throws<InputException>(() => CommonCorruptions.Named("frost", empty.Path));
    }

    private static CorruptionSettings Settings(string names, CorruptionLayout layout) => new(CommonCorruptions.Named(names), [1, 2, 3, 4, 5], layout, 3);

    private static IEnumerable<string> Names(string folder) => Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    private static byte[][] Bytes(Dataset images) => [.. Enumerable.Range(0, images.Count).Select(i =>
    {
        var planes = new byte[images.BytesPerImage];
        images.Read(i, planes);
        return planes;
    })];

    private void AsOlderVersionsWroteIt()
    {
        var path = Path.Combine(_folder.Path, "corruptions.json");
        var text = File.ReadAllText(path);
        File.WriteAllText(path, text[..text.IndexOf(",\n  \"fingerprint\"", StringComparison.Ordinal)] + "\n}");
    }

    private void WriteArray(string name, string type, long[] shape, int bytes, byte fill = 0)
    {
        var data = new byte[bytes];
        Array.Fill(data, fill);
        File.WriteAllBytes(Path.Combine(_folder.Path, name), [.. NumpyFile.Header(type, shape), .. data]);
    }
}
