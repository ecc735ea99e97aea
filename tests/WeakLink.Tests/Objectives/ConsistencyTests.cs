using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Runtime;

namespace WeakLink.Tests.Objectives;

public class ConsistencyTests
{
    public ConsistencyTests() => NativeLibraries.Load();

    [Fact]
    public void Divergence_IsTheEntropyOfTheMeanLessTheMeanEntropy()
    {
        using var scope = torch.NewDisposeScope();
        using var generator = torch.manual_seed(1);
        var logits = Enumerable.Range(0, 3).Select(_ => torch.randn(7, 5) * 2).ToList();
        // JS(p1; p2; p3) = H(mean p) - mean H(p), computed from doubles.
        double Entropy(IEnumerable<double> p) => -p.Sum(value => value * Math.Log(value));
        var expected = Enumerable.Range(0, 7).Average(image =>
        {
            var p = logits.Select(one => one[image].softmax(0).to(torch.float64).data<double>().ToArray()).ToList();
            return Entropy(Enumerable.Range(0, 5).Select(c => p.Average(view => view[c]))) - p.Average(Entropy);
        });
        Assert.Equal(expected, Consistency.Divergence(logits).ToDouble(), 1e-5);
        Assert.Equal(0, Consistency.Divergence([logits[0], logits[0], logits[0]]).ToDouble(), 1e-6);
    }

    [Fact]
    public void Loss_IsCrossEntropyOfTheCleanViewAndTheWeightedDivergence()
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create("resnet8", 5, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 0, widthMultiplier: 0.25);
        network.train();
        using var generator = torch.manual_seed(2);
        var images = torch.rand(3 * 4, 3, 16, 16);
        var labels = torch.tensor((long[])[0, 1, 2, 3]);
        var objective = new Consistency(12);
        var views = objective.Prepare(network, images.chunk(3), labels, BatchShare.All(labels.shape[0]), new SeededRandom(0, RandomUse.Objective));
        var logits = objective.Run(network.call, views);

        // All views in one batch: each by itself would have other statistics.
        var together = network.call(images).chunk(3);
        var expected = torch.nn.functional.cross_entropy(together[0], labels) + (Consistency.Divergence(together) * 12);
        Assert.Equal(expected.ToDouble(), objective.Loss(logits, labels).ToDouble(), 1e-4);
        Assert.Equal(3, logits.Count);
        Assert.All(logits, one => Assert.Equal([4L, 5L], one.shape));
        Assert.True((logits[0] - network.call(images[..4])).abs().max().ToSingle() > 1e-3);
        Assert.Throws<ArgumentException>(() => objective.Prepare(network, images.chunk(2), labels, BatchShare.All(labels.shape[0]), new SeededRandom(0, RandomUse.Objective)));
    }
}
