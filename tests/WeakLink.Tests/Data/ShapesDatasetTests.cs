using System.IO.Hashing;
using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Tests.Data;

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
        var splits = ShapesDataset.Splits(new SilentObserver());
        Assert.Equal((10_000, 1_000, 2_000), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
        Assert.All(Enumerable.Range(0, 2000).CountBy(splits.Test.Label), pair => Assert.Equal(200, pair.Value));
    }

    private static (torch.Tensor Images, torch.Tensor Labels) Tensors(int split, int count)
    {
        var pixels = new byte[count * 3072];
        Parallel.For(0, count, i => ShapesDataset.Draw(split, i).CopyTo(pixels, i * 3072));
        return (torch.tensor(pixels, [count, 3072], torch.uint8).to(torch.float32) / 255 - 0.5, torch.arange(count, dtype: torch.int64) % 10);
    }
}
