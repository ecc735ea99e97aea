using System.Formats.Tar;
using System.IO.Compression;
using WeakLink.Files;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Files;

public class SafeArchiveTests
{
    [Theory]
    [InlineData("../evil.png")]
    [InlineData("a/../../evil.png")]
    [InlineData("/tmp/weaklink-evil.png")]
    public void EntryThatPointsOutside_ExtractsNothing(string entry)
    {
        using var folder = new TemporaryFolder();
        foreach (var archive in new[] { Tar(folder, TarEntryType.RegularFile, entry), Zip(folder, entry) })
        {
            Assert.Contains("outside", Assert.Throws<InputException>(() => SafeArchive.Extract(archive, folder["deep/target"])).Message);
            Assert.False(File.Exists(folder["evil.png"]) || File.Exists(folder["deep/evil.png"]) || File.Exists("/tmp/weaklink-evil.png"));
        }
    }

    [Theory]
    [InlineData("../../secret")]
    [InlineData("/etc/passwd")]
    public void LinkThatPointsOutside_IsRefused(string target)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<InputException>(() => SafeArchive.Extract(Tar(folder, TarEntryType.SymbolicLink, "link.png", target), folder["target"]));
    }

    // A kilobyte of tar.gz held a path of half a million folders.
    [Fact]
    public void APathOfThousandsOfFolders_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var path = string.Concat(Enumerable.Repeat("a/", 20_000)) + "b.png";
        File.WriteAllBytes(folder["a.zip"], RawArchives.Zip([(System.Text.Encoding.UTF8.GetBytes(path), [], [1])]));
        Assert.Contains("parts", Assert.Throws<InputException>(() => SafeArchive.Extract(folder["a.zip"], folder["out"])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    // Every bit of the header's checksum.
    [Fact]
    public void AnAlteredChecksumOfAHeader_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var bytes = Unzipped(Tar(folder, TarEntryType.RegularFile, "cat/a.png"));
        for (var bit = 0; bit < 6 * 8; bit++)
        {
            var altered = bytes.ToArray();
            altered[148 + (bit / 8)] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(folder["a.tar"], altered);
            var error = Record.Exception(() => SafeArchive.Extract(folder["a.tar"], folder[$"out{bit}"]));
            // A space instead of a leading zero is the same number.
            Assert.True(error is InputException || (error is null && altered[148 + (bit / 8)] == ' '), $"bit {bit}: {error}");
        }
    }

    private static byte[] Unzipped(string archive)
    {
        using var file = File.OpenRead(archive);
        using var unzipped = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionMode.Decompress);
        using var content = new MemoryStream();
        unzipped.CopyTo(content);
        return content.ToArray();
    }

    [Fact]
    public void MoreThanTheAllowance_Stops()
    {
        using var folder = new TemporaryFolder();
        var archive = Zip(folder, "zeros.png", new byte[10_000_000]);
        Assert.Contains("too much", Assert.Throws<InputException>(() => SafeArchive.Extract(archive, folder["target"], allowance: 100_000)).Message);
    }

    [Fact]
    public void OrdinaryArchives_AreExtracted()
    {
        using var folder = new TemporaryFolder();
        SafeArchive.Extract(Zip(folder, "cat/a.png", [1, 2]), folder["zip"]);
        SafeArchive.Extract(Tar(folder, TarEntryType.RegularFile, "cat/a.png"), folder["tar"]);
        Assert.Equal([1, 2], File.ReadAllBytes(folder["zip/cat/a.png"]));
        Assert.Equal([7], File.ReadAllBytes(folder["tar/cat/a.png"]));
    }

    private static string Tar(TemporaryFolder folder, TarEntryType type, string name, string? link = null)
    {
        var path = folder[$"{Guid.NewGuid()}.tar.gz"];
        using var zipped = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        using var tar = new TarWriter(zipped);
        var entry = new UstarTarEntry(type, name);
        if (link is null)
        {
            entry.DataStream = new MemoryStream([7]);
        }
        else
        {
            entry.LinkName = link;
        }

        tar.WriteEntry(entry);
        return path;
    }

    private static string Zip(TemporaryFolder folder, string name, byte[]? content = null)
    {
        var path = folder[$"{Guid.NewGuid()}.zip"];
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        using var stream = zip.CreateEntry(name).Open();
        stream.Write(content ?? [7]);
        return path;
    }
}
