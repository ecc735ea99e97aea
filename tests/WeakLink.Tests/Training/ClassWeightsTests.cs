using TorchSharp;
using WeakLink.Data;
using WeakLink.Objectives;
using WeakLink.Runtime;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public class ClassWeightsTests
{
    [Fact]
    public void AllClassesTogether_CountAlike()
    {
        NativeLibraries.Load();
        Dataset images = new MemoryDataset("unequal", ["a", "b", "c", "none"], 1, 1, [.. Enumerable.Range(0, 12).Select(_ => new byte[3])], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
        var weights = ClassWeights.Of(images);
        Assert.Equal([0.5, 4.0 / 3, 4, 0], weights);

        using var scope = torch.NewDisposeScope();
        using var generator = torch.manual_seed(1);
        var logits = torch.randn(12, 4);
        var labels = torch.tensor((long[])[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
        var each = logits.log_softmax(1).gather(1, labels.unsqueeze(1)).neg().squeeze(1).data<float>().ToArray();
        var expected = (each[..8].Average() + each[8..11].Average() + each[11]) / 3;
        Assert.Equal(expected, new CrossEntropy(0, weights).Loss([logits], labels).ToDouble(), 1e-5);
        Assert.Equal(expected, new AdversarialTraining(null!, 0, weights).Loss([logits], labels).ToDouble(), 1e-5);
        // Views that agree diverge by nothing.
        Assert.Equal(expected, new Consistency(12, 0, weights).Loss([logits, logits, logits], labels).ToDouble(), 1e-5);
        Assert.Equal(expected, new Trades(null!, 6, 0, weights).Loss([logits, logits], labels).ToDouble(), 1e-5);
        Assert.NotEqual(expected, new CrossEntropy().Loss([logits], labels).ToDouble(), 1e-2);
    }

    [Fact]
    public void ExtraImages_CountAsTheBatchesMixThem()
    {
        var (images, extra) = (Of(9, 1), Of(50, 50));
        Assert.Equal([110.0 / (2 * 59), 110.0 / (2 * 51)], ClassWeights.Of(images, new ExtraImages(extra, 0)), (one, other) => Math.Abs(one - other) < 1e-12);
        // A tenth of a batch is extra: 0.9 * 0.9 + 0.1 * 0.5 of it is of the first class.
        Assert.Equal([1 / (2 * 0.86), 1 / (2 * 0.14)], ClassWeights.Of(images, new ExtraImages(extra, 0.1)), (one, other) => Math.Abs(one - other) < 1e-12);

        static MemoryDataset Of(int first, int second) =>
            new("two", ["a", "b"], 1, 1, [.. Enumerable.Range(0, first + second).Select(_ => new byte[3])], [.. Enumerable.Repeat(0, first), .. Enumerable.Repeat(1, second)]);
    }
}
