using System.IO.Hashing;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Sources;
using WeakLink.Tests.Cli;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class ShapesDatasetTests
{
    [Fact]
    public void Pictures_AreTheSameEverywhere()
    {
        var hash = new XxHash3();
        for (var i = 0; i < 50; i++)
        {
            hash.Append(ShapesDataset.Draw(i % 3, i));
        }

        // Sines are rounded differently by different mathematics libraries: a grey level here and there may differ on other systems.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the checksum is that of Linux");
        Assert.Equal("edf5aeb593a1e63d", hash.GetCurrentHashAsUInt64().ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void NeitherColourNorPosition_TellsTheClass()
    {
        // A linear classifier sees exactly these: it must stay far below the network.
        using var scope = torch.NewDisposeScope();
        var (train, trainLabels) = Tensors(0, 2000);
        var (test, testLabels) = Tensors(2, 500);
        using var linear = torch.nn.Linear(3 * 32 * 32, 10);
        using var optimizer = torch.optim.Adam(linear.parameters(), 1e-3, weight_decay: 1e-3);
        for (var step = 0; step < 150; step++)
        {
            using var stepScope = torch.NewDisposeScope();
            optimizer.zero_grad();
            torch.nn.functional.cross_entropy(linear.call(train), trainLabels).backward();
            optimizer.step();
        }

        using var noGradients = torch.no_grad();
        var accuracy = linear.call(test).argmax(1).eq(testLabels).to(torch.float32).mean().ToDouble();
        Assert.True(accuracy < 0.4, $"a linear classifier reaches {accuracy:p0}");
    }

    [Fact]
    public void Splits_ShareNoPicture_AndEveryClassIsThereEquallyOften()
    {
        var hashes = new[] { 0, 1, 2 }.SelectMany(split => Enumerable.Range(0, 200).Select(i => XxHash3.HashToUInt64(ShapesDataset.Draw(split, i)))).ToList();
        Assert.Equal(600, hashes.Distinct().Count());
        var splits = ShapesDataset.Splits(Weaklink.Cache, new SilentObserver());
        Assert.Equal((10_000, 1_000, 2_000), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
        Assert.All(Enumerable.Range(0, 2000).CountBy(splits.Test.Label), pair => Assert.Equal(200, pair.Value));
    }

    [Fact]
    public void WhatIsKept_IsWhatIsDrawn_AndDrawnAgainWhereItIsDamaged()
    {
        using var folder = new TemporaryFolder();
        var (again, damaged, other) = (new Begun(), new Begun(), new Begun());
        ShapesDataset.Splits(Weaklink.Cache, new SilentObserver());
        File.Copy(Path.Combine(Weaklink.Cache, "shapes"), folder["shapes"]);
        var splits = ShapesDataset.Splits(folder.Path, again);
        Assert.Equal(Image(splits.Train, 9_999), ShapesDataset.Draw(0, 9_999));
        Assert.Equal(Image(splits.Validation, 3), ShapesDataset.Draw(1, 3));
        Assert.Equal(Image(splits.Test, 1_999), ShapesDataset.Draw(2, 1_999));

        var bytes = File.ReadAllBytes(folder["shapes"]);
        bytes[20_000_000] ^= 1;
        File.WriteAllBytes(folder["shapes"], bytes);
        ShapesDataset.Splits(folder.Path, damaged);

        // Whole, but of another drawing.
        bytes = File.ReadAllBytes(folder["shapes"]);
        bytes[0] ^= 1;
        XxHash128.Hash(bytes.AsSpan(..^16)).CopyTo(bytes, bytes.Length - 16);
        File.WriteAllBytes(folder["shapes"], bytes);
        splits = ShapesDataset.Splits(folder.Path, other);
        Assert.Equal(Image(splits.Train, 0), ShapesDataset.Draw(0, 0));
        Assert.Equal([0, 1, 1], new[] { again, damaged, other }.Select(observer => observer.Times));
    }

    private static byte[] Image(Dataset images, int index)
    {
        var planes = new byte[images.BytesPerImage];
        images.Read(index, planes);
        return planes;
    }

    private sealed class Begun : IRunObserver
    {
        public int Times { get; private set; }

        public void Begin(string name, long total, string unit, long done = 0) => Times++;

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }
    }

    private static (torch.Tensor Images, torch.Tensor Labels) Tensors(int split, int count)
    {
        var pixels = new byte[count * 3072];
        Parallel.For(0, count, i => ShapesDataset.Draw(split, i).CopyTo(pixels, i * 3072));
        return (torch.tensor(pixels, [count, 3072], torch.uint8).to(torch.float32) / 255 - 0.5, torch.arange(count, dtype: torch.int64) % 10);
    }
}
