using System.Buffers.Binary;
using System.IO.Compression;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class IdxFilesTests
{
    private const int Width = 4, Height = 3;

    // Where Debian's dataset-fashion-mnist puts the published files.
    private const string Published = "/usr/share/datasets/fashion-mnist";

    [Theory]
    [InlineData("{0}-{1}-idx{2}-ubyte", false)]
    [InlineData("{0}-{1}-idx{2}-ubyte.gz", true)]
    [InlineData("{0}-{1}.idx{2}-ubyte", false)]
    [InlineData("raw/{0}-{1}-idx{2}-ubyte", false)]
    public void AFolder_IsReadWhateverItsFilesAreCalled_GreyAsThreeEqualChannels(string names, bool compressed)
    {
        using var folder = new TemporaryFolder();
        Write(folder, names, compressed);
        var notes = new Notes();
        var splits = DataSources.Open(new DataRecipe { Source = folder.Path, Validation = 0.5 }, 0, notes);
        Assert.Equal(["0", "1", "2"], splits.Train.Classes);
        Assert.Equal((3, 3, 4, Width, Height), (splits.Train.Count, splits.Validation.Count, splits.Test.Count, splits.Test.Width, splits.Test.Height));
        Assert.Contains("grey", Assert.Single(notes.Sentences), StringComparison.Ordinal);
        var planes = new byte[splits.Test.BytesPerImage];
        for (var i = 0; i < splits.Test.Count; i++)
        {
            splits.Test.Read(i, planes);
            Assert.Equal(i % 3, splits.Test.Label(i));
            Assert.Equal([.. Pixels(i, 7), .. Pixels(i, 7), .. Pixels(i, 7)], planes);
        }
    }

    [Fact]
    public void AFileThatUnpacksToMoreThanImagesDo_IsRefused_BeforeItIsRead()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "{0}-{1}-idx{2}-ubyte.gz", compressed: true);
        using (var zipped = new GZipStream(File.Create(folder["train-images-idx3-ubyte.gz"]), CompressionLevel.Fastest))
        {
            zipped.Write([0, 0, 8, 3, 0, 1, 134, 160, 0, 0, 0, 128, 0, 0, 0, 128]);
        }

        Assert.Contains("claims 100000x128x128 bytes", Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = folder.Path }, 0, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("t10k-labels-idx1-ubyte", null, "has no t10k-labels-idx1-ubyte")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 0, 0 }, "ends too early")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 4, 1, 2 }, "ends too early")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 16, 0, 0, 0, 16, 0 }, "claims 4294967295x4096x4096 bytes")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 13, 3, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 4 }, "not that of grey images")]
    [InlineData("train-images-idx3-ubyte", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5 }, "has 1 images and")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 5, 5 }, "holds more than")]
    [InlineData("train-labels-idx1-ubyte", new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 7, 7, 7 }, "its compression is damaged")]
    [InlineData("t10k-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 9, 0 }, "has label 9 at index 2")]
    public void AFileThatCantBeUsed_IsNamed(string file, byte[]? content, string expected)
    {
        using var folder = new TemporaryFolder();
        Write(folder, "{0}-{1}-idx{2}-ubyte", compressed: false);
        File.Delete(folder[file]);
        if (content is not null)
        {
            File.WriteAllBytes(folder[file], content);
        }

        var message = Assert.Throws<InputException>(() => IdxFiles.Open(folder.Path)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(content is null ? folder.Path : folder[file], message, StringComparison.Ordinal);
    }

    [Fact]
    public void FashionMnist_AsDebianBringsIt_HasThePublishedClassesAndImages()
    {
        Assert.SkipUnless(Directory.Exists(Published), "Debian's dataset-fashion-mnist is not installed");
        var (train, test) = IdxFiles.Open(Published);
        Assert.Equal(("Fashion-MNIST", 60_000, 10_000, 28, 28), (train.Name, train.Count, test.Count, train.Width, train.Height));
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(6_000, Enumerable.Range(0, train.Count).Count(i => train.Label(i) == label)));
        // The first picture of the training set is an ankle boot, as in the data set's own description; that of the test set too.
        Assert.Equal(("Ankle boot", "Ankle boot"), (train.Classes[train.Label(0)], test.Classes[test.Label(0)]));
        var planes = new byte[train.BytesPerImage];
        train.Read(0, planes);
        // By Python's gzip and sum.
        Assert.Equal(76_247, planes.Take(28 * 28).Sum(level => level));
    }

    private static byte[] Pixels(int image, int step) => [.. Enumerable.Range(0, Width * Height).Select(i => (byte)((image * 31) + (i * step)))];

    private static void Write(TemporaryFolder folder, string names, bool compressed)
    {
        foreach (var (part, count, step) in new[] { ("train", 6, 5), ("t10k", 4, 7) })
        {
            Write("images", [count, Height, Width], [.. Enumerable.Range(0, count).SelectMany(image => Pixels(image, step))]);
            Write("labels", [count], [.. Enumerable.Range(0, count).Select(image => (byte)(image % 3))]);

            void Write(string kind, int[] shape, byte[] values)
            {
                var path = folder[string.Format(System.Globalization.CultureInfo.InvariantCulture, names, part, kind, shape.Length)];
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                using var file = File.Create(path);
                using Stream content = compressed ? new GZipStream(file, CompressionLevel.Fastest) : file;
                content.Write([0, 0, 8, (byte)shape.Length]);
                foreach (var side in shape)
                {
                    var number = new byte[4];
                    BinaryPrimitives.WriteInt32BigEndian(number, side);
                    content.Write(number);
                }

                content.Write(values);
            }
        }
    }
}
