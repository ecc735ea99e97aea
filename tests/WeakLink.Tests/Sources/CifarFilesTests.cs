using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using CsCheck;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class CifarFilesTests
{
    private const int Record = 3073;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FolderAndArchive_GiveTheRecords(bool archived)
    {
        using var folder = new TemporaryFolder();
        WriteTen(folder["cifar-10-batches-bin"], 4);
        var source = archived ? Pack(folder, "cifar-10-batches-bin") : folder["cifar-10-batches-bin"];
        Assert.True(CifarFiles.IsCifar(source));
        var (train, test) = CifarFiles.Open(source, folder["cache"]);
        Assert.Equal((20, 4, 10, 32), (train.Count, test.Count, train.Classes.Count, train.Width));
        Assert.Equal("airplane", train.Classes[0]);
        var image = new byte[train.BytesPerImage];
        train.Read(6, image);
        // Record 2 of the second file.
        Assert.Equal(2, train.Label(6));
        Assert.All(image, value => Assert.Equal(12, value));
        Assert.Contains("data_batch_2.bin", train.Describe(6));
    }

    [Fact]
    public void Cifar100_TakesTheFineLabel()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in new[] { "train.bin", "test.bin" })
        {
            File.WriteAllBytes(folder[file], [3, 77, .. new byte[3072]]);
        }

        var (train, _) = CifarFiles.Open(folder.Path, folder["cache"]);
        Assert.Equal((1, 77, 100), (train.Count, train.Label(0), train.Classes.Count));
    }

    [Fact]
    public void DamagedFiles_AreNamed()
    {
        using var folder = new TemporaryFolder();
        WriteTen(folder.Path, 2);
        var good = File.ReadAllBytes(folder["data_batch_3.bin"]);
        File.WriteAllBytes(folder["data_batch_3.bin"], good[..^100]);
        AssertRefused("data_batch_3.bin", "truncated");
        good[Record] = 10;
        File.WriteAllBytes(folder["data_batch_3.bin"], good);
        AssertRefused("data_batch_3.bin", "label 10 in record 1");
        File.Delete(folder["data_batch_3.bin"]);
        AssertRefused("data_batch_3.bin", "lacks");

        void AssertRefused(string file, string reason)
        {
            var message = Assert.Throws<InputException>(() => CifarFiles.Open(folder.Path, folder["cache"])).Message;
            Assert.Contains(file, message);
            Assert.Contains(reason, message);
        }
    }

    [Fact]
    public void TruncatedArchive_IsASentence()
    {
        using var folder = new TemporaryFolder();
        WriteTen(folder["cifar-10-batches-bin"], 4);
        var archive = Pack(folder, "cifar-10-batches-bin");
        var bytes = File.ReadAllBytes(archive);
        File.WriteAllBytes(archive, bytes[..(bytes.Length / 2)]);
        Assert.Throws<InputException>(() => CifarFiles.Open(archive, folder["cache"]));
    }

    [Fact]
    public void PythonVersion_IsRefusedWithTheRemedy()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["cifar-10-batches-py"]);
        Assert.Contains("binary version", Assert.Throws<InputException>(() => CifarFiles.Open(folder["cifar-10-batches-py"], folder["cache"])).Message);
    }

    [Fact]
    public void AnyBytes_OnlyARefusal()
    {
        using var folder = new TemporaryFolder();
        WriteTen(folder["cifar-10-batches-bin"], 2);
        var good = File.ReadAllBytes(Pack(folder, "cifar-10-batches-bin"));
        var batch = File.ReadAllBytes(folder["cifar-10-batches-bin/test_batch.bin"]);
        Gen.Select(Gen.Bool, Gen.Select(Gen.Double[0, 1], Gen.Byte).Array[0, 4], Gen.Bool, Gen.Double[0, 1]).Sample(
            (archived, changes, cut, part) =>
            {
                var original = archived ? good : batch;
                var bad = cut ? original[..(int)(part * original.Length)] : (byte[])original.Clone();
                foreach (var (place, value) in changes)
                {
                    if (bad.Length > 0)
                    {
                        bad[(int)(place * (bad.Length - 1))] = value;
                    }
                }

                File.WriteAllBytes(archived ? folder["bad.tar.gz"] : folder["cifar-10-batches-bin/test_batch.bin"], bad);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var (train, test) = CifarFiles.Open(archived ? folder["bad.tar.gz"] : folder["cifar-10-batches-bin"], folder["cache"]);
                    Assert.All(Enumerable.Range(0, test.Count), index => Assert.InRange(test.Label(index), 0, 9));
                    Assert.Equal(10, train.Count);
                }
                catch (InputException)
                {
                    // What a damaged file should give.
                }

                // 8 MiB, and three times the 37 KB that the files hold.
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 9 << 20);
            },
            iter: 1_000,
            threads: 1);
    }

    private static void WriteTen(string folder, int images)
    {
        Directory.CreateDirectory(folder);
        foreach (var (file, name) in new[] { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch" }.Index())
        {
            File.WriteAllBytes(Path.Combine(folder, name + ".bin"), [.. Enumerable.Range(0, images).SelectMany(i => (byte[])[(byte)i, .. Enumerable.Repeat((byte)((10 * file) + i), 3072)])]);
        }
    }

    [Fact]
    public void AnArchiveThatUnpacksToMoreThanImagesDo_IsRefused_BeforeItIsRead()
    {
        using var folder = new TemporaryFolder();
        using (var zipped = new GZipStream(File.Create(folder["bomb.tar.gz"]), CompressionLevel.Fastest))
        {
            // The header of an entry of 1.5 GB alone.
            var header = new byte[512];
            "cifar-10-batches-bin/data_batch_1.bin"u8.CopyTo(header);
            Encoding.ASCII.GetBytes("0000644\00000000\00000000\0" + Convert.ToString(1_500_000_000, 8).PadLeft(11, '0') + "\000000000000\0").CopyTo(header.AsSpan(100));
            "        0"u8.CopyTo(header.AsSpan(148));
            "ustar\000"u8.CopyTo(header.AsSpan(257));
            Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(part => part), 8).PadLeft(6, '0') + "\0 ").CopyTo(header.AsSpan(148));
            zipped.Write(header);
            zipped.Write(new byte[4096]);
        }

        Assert.Contains("is too large", Assert.Throws<InputException>(() => CifarFiles.Open(folder["bomb.tar.gz"], folder["cache"])).Message, StringComparison.Ordinal);
    }

    private static string Pack(TemporaryFolder folder, string name)
    {
        var path = folder["cifar.tar.gz"];
        using var zipped = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        TarFile.CreateFromDirectory(folder[name], zipped, includeBaseDirectory: true);
        return path;
    }
}
