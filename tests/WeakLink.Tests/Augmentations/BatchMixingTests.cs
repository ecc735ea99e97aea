using TorchSharp;
using WeakLink.Augmentations;
using WeakLink.Runtime;

namespace WeakLink.Tests.Augmentations;

public class BatchMixingTests
{
    private const int Count = 6, Classes = 6, Side = 10;

    public BatchMixingTests() => NativeLibraries.Load();

    [Fact]
    public void Mixup_MixesImagesAndLabelsWithTheSameWeights()
    {
        using var scope = torch.NewDisposeScope();
        foreach (var seed in Enumerable.Range(0, 20))
        {
            // Image i has the value i everywhere and the label i, so the labels tell what the pixels must be.
            var (images, labels) = Numbered();
            var (mixed, soft) = new Mixup(1, Classes).Mix(images, labels, new SeededRandom(seed, RandomUse.Mixing));
            var expected = soft.matmul(torch.arange(Classes, torch.float32)).view(Count, 1, 1, 1).expand(mixed.shape);
            Assert.True(mixed.allclose(expected, 1e-5, 1e-5));
            Assert.True(soft.sum(1).allclose(torch.ones(Count)));
            Assert.True(soft.min().ToSingle() >= 0);
        }
    }

    [Fact]
    public void CutMix_LabelsAreAreas_AndTheCutIsARectangle()
    {
        using var scope = torch.NewDisposeScope();
        var partial = 0;
        foreach (var seed in Enumerable.Range(0, 30))
        {
            var (images, labels) = Numbered();
            var (mixed, soft) = new CutMix(1, Classes).Mix(images, labels, new SeededRandom(seed, RandomUse.Mixing));
            for (var i = 0; i < Count; i++)
            {
                var foreign = mixed[i, 0].ne(i);
                var area = foreign.to(torch.float32).mean().ToSingle();
                if (foreign.any().ToBoolean())
                {
                    var (rows, columns) = (foreign.any(1).sum().ToInt64(), foreign.any(0).sum().ToInt64());
                    Assert.Equal((double)rows * columns / (Side * Side), area, 1e-5);
                    Assert.Equal(1 - area, soft[i, i].ToSingle(), 1e-5);
                    partial++;
                }
            }
        }

        Assert.True(partial > 30);
    }

    [Fact]
    public void TheViewsOfAnImage_AreMixedAlike()
    {
        using var scope = torch.NewDisposeScope();
        var (images, labels) = Numbered();
        foreach (var mixing in new BatchMixing[] { new Mixup(1, Classes), new CutMix(1, Classes) })
        {
            var (one, _) = mixing.Mix(images, labels, new SeededRandom(4, RandomUse.Mixing));
            var (three, soft) = mixing.Mix(torch.cat([images, images, images]), labels, new SeededRandom(4, RandomUse.Mixing));
            Assert.True(three.equal(torch.cat([one, one, one])).all().ToBoolean());
            Assert.Equal([Count, Classes], soft.shape);
        }
    }

    [Fact]
    public void MixupWeights_AreBetaDistributed()
    {
        using var scope = torch.NewDisposeScope();
        // Beta(α, α) has variance 1 / (4 (2α + 1)).
        foreach (var alpha in new[] { 0.2, 1, 4 })
        {
            var shares = Enumerable.Range(0, 4000).Select(seed => new SeededRandom(seed, RandomUse.Mixing).NextBeta(alpha, alpha)).ToList();
            Assert.Equal(0.5, shares.Average(), 0.03);
            var variance = shares.Average(share => (share - 0.5) * (share - 0.5));
            Assert.Equal(1, variance * 4 * ((2 * alpha) + 1), 0.08);
        }
    }

    private static (torch.Tensor Images, torch.Tensor Labels) Numbered() => (
        torch.arange(Count, torch.float32).view(Count, 1, 1, 1).expand(Count, 3, Side, Side).contiguous(),
        torch.arange(Count, torch.int64));
}
