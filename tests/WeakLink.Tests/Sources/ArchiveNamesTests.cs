using System.Text;
using SkiaSharp;
using WeakLink.Files;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

/// <summary>Entries of archives become files one to one, whatever encoding their names have.</summary>
public class ArchiveNamesTests
{
    private const int Each = 3;

    public static TheoryData<int, string[]> Encodings => new()
    {
        { 936, ["猫", "狗", "鸟", "鱼"] },
        { 932, ["猫", "犬", "表", "ソ"] },
        { 950, ["貓", "狗", "功", "許"] },
        { 437, ["Kätzchen", "Welpe", "Küken", "Öchslein"] },
        { 1252, ["chaton", "chiot", "pâté", "bébé"] },
        { 20866, ["кошка", "собака", "птица", "рыба"] },
        { 65001, ["猫", "狗", "é", "кошка"] },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void NamesOfAnyCodePage_GiveAsManyImagesAsThereAreEntries(int codePage, string[] classes)
    {
        using var folder = new TemporaryFolder();
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(codePage) ?? Encoding.UTF8;
        var entries = Images(folder, classes).Select(image => (Name: encoding.GetBytes($"set/{image.Path}"), image.Content)).ToList();
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip(entries.Select(entry => (entry.Name, Array.Empty<byte>(), entry.Content))));
        File.WriteAllBytes(folder["b.tar"], RawArchives.Tar(entries.Select(entry => (entry.Name, '0', entry.Content))));
        // By GNU's and by pax's records for names of any length.
        File.WriteAllBytes(folder["c.tar"], RawArchives.Tar(entries.SelectMany(entry => new[] { ("././@LongLink"u8.ToArray(), 'L', entry.Name), ("short"u8.ToArray(), '0', entry.Content) })));
        File.WriteAllBytes(folder["d.tar"], RawArchives.Tar(entries.SelectMany(entry => new[] { ("pax"u8.ToArray(), 'x', RawArchives.Pax("path", entry.Name)), ("short"u8.ToArray(), '0', entry.Content) })));
        foreach (var archive in new[] { "a.zip", "b.tar", "c.tar", "d.tar" })
        {
            SafeArchive.Extract(folder[archive], folder[archive + ".out"]);
            var extracted = Path.Combine(folder[archive + ".out"], "set");
            var splits = DataSources.Open(new DataRecipe { Source = extracted }, 0, new SilentObserver());
            Assert.Equal(classes.Length, splits.Train.Classes.Count);
            Assert.Equal(classes.Length * Each, splits.Train.Count + splits.Validation.Count + splits.Test.Count);
            if (codePage is 437 or 65001)
            {
                Assert.Equal(classes.Order(StringComparer.Ordinal), splits.Train.Classes);
            }
        }
    }

    [Fact]
    public void TheUnicodePathField_GivesTheName_UnlessTheNameWasChanged()
    {
        using var folder = new TemporaryFolder();
        var name = "?.png"u8.ToArray();
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip(
            (name, RawArchives.UnicodePath(name, "猫.png"), [1]),
            (name, RawArchives.UnicodePath(name, "狗.png"), [2]),
            ("new.png"u8.ToArray(), RawArchives.UnicodePath(name, "old.png"), [3])));
        SafeArchive.Extract(folder["a.zip"], folder["out"]);
        Assert.Equal([1], File.ReadAllBytes(folder["out/猫.png"]));
        Assert.Equal([2], File.ReadAllBytes(folder["out/狗.png"]));
        Assert.Equal([3], File.ReadAllBytes(folder["out/new.png"]));
    }

    [Theory]
    [InlineData("cat/1.png", "cat/1.png", "cat/1.png twice")]
    [InlineData("cat/1.png", "cat/./1.png", "cat/./1.png twice")]
    [InlineData("cat/1.png", "dog/../cat//1.png", "cat//1.png twice")]
    [InlineData("cat", "cat/1.png", "both a file and a folder called cat (")]
    [InlineData("cat/1.png", "cat", "both a file and a folder called cat (")]
    [InlineData("all/cat", "all/cat/more/1.png", "both a file and a folder called all/cat (")]
    public void TwoEntriesForOnePath_AreRefused_AndNothingIsLeft(string first, string second, string why)
    {
        using var folder = new TemporaryFolder();
        var (one, two) = (Encoding.UTF8.GetBytes(first), Encoding.UTF8.GetBytes(second));
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip((one, [], [1]), (two, [], [2])));
        File.WriteAllBytes(folder["b.tar"], RawArchives.Tar((one, '0', [1]), (two, '0', [2])));
        foreach (var archive in new[] { folder["a.zip"], folder["b.tar"] })
        {
            Assert.Contains(why, Assert.Throws<InputException>(() => SafeArchive.Extract(archive, folder["out"])).Message, StringComparison.Ordinal);
            Assert.Equal(["a.zip", "b.tar"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
        }
    }

    [Fact]
    public void TwoArchivesInOneFile_AreNotReadHalf()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["a.tar"], [.. RawArchives.Tar(("1.png"u8.ToArray(), '0', [1])), .. RawArchives.Tar(("2.png"u8.ToArray(), '0', [2]))]);
        Assert.Contains("goes on after its end", Assert.Throws<InputException>(() => SafeArchive.Extract(folder["a.tar"], folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasExtractedBefore_IsExtractedAgain_WhereSomeOfItIsGone()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip(Images(folder, ["cat", "dog"]).Select(image => (Encoding.UTF8.GetBytes(image.Path), Array.Empty<byte>(), image.Content))));
        var extracted = ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]);
        var files = Directory.GetFiles(extracted, "*", SearchOption.AllDirectories);
        Assert.Equal(2 * Each, files.Length);
        File.Delete(files[0]);
        Assert.Equal(extracted, ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]));
        Assert.Equal(files.Order(), Directory.GetFiles(extracted, "*", SearchOption.AllDirectories).Order());
        File.WriteAllBytes(files[1], [1]);
        ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]);
        Assert.True(new FileInfo(files[1]).Length > 1);

        // What is whole stays, as what an older version extracted does.
        var time = File.GetLastWriteTimeUtc(files[0]);
        ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]);
        Assert.Equal(time, File.GetLastWriteTimeUtc(files[0]));
        File.Delete(extracted + ".contents");
        File.Delete(files[0]);
        ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]);
        Assert.False(File.Exists(files[0]));
    }

    // Two files where the disk tells them apart, else a refusal; never one.
    [Theory]
    [InlineData("cat/1.png", "Cat/1.png")]
    [InlineData("cat/1.png", "Cat/2.png")]
    [InlineData("caf\u00e9/1.png", "cafe\u0301/2.png")]
    public void NamesThatSomeDisksTakeForOne_AreTwoFoldersOrRefused(string first, string second)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip((Encoding.UTF8.GetBytes(first), [], [1]), (Encoding.UTF8.GetBytes(second), [], [2])));
        try
        {
            SafeArchive.Extract(folder["a.zip"], folder["out"]);
        }
        catch (InputException refusal)
        {
            Assert.Contains("the same on this disk", refusal.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(2, Directory.GetDirectories(folder["out"]).Length);
        Assert.Equal([1, 2], new[] { first, second }.SelectMany(name => File.ReadAllBytes(folder[$"out/{name}"])));
    }

    [Fact]
    public void AFileBesideTheOnlyFolder_DoesNotHideIt()
    {
        using var folder = new TemporaryFolder();
        var entries = Images(folder, ["cat", "dog"]).Select(image => (Encoding.UTF8.GetBytes($"set/{image.Path}"), Array.Empty<byte>(), image.Content));
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip(entries.Append(("README.md"u8.ToArray(), [], [1]))));
        Assert.Equal("set", Path.GetFileName(FolderLayout.Inside(ArchiveFiles.ExtractedFolder(folder["a.zip"], folder["cache"]), null)));
    }

    private static IEnumerable<(string Path, byte[] Content)> Images(TemporaryFolder folder, string[] classes) =>
        from name in classes
        from number in Enumerable.Range(0, Each)
        select ($"{name}/{name}{number}.png", File.ReadAllBytes(Pictures.Write(folder[$"pictures/{number}.png"], new SKColor((byte)(number * 50), 0, 0))));
}
