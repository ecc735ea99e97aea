using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Subnets;
using WeakLink.Tests.Training;
using static TorchSharp.torch;

namespace WeakLink.Tests.Models;

public class TestTimeStatisticsTests
{
    private const int Channels = 3;

    // Two layers, so that the second one reads what the statistics of the first one made. Written down from the paper, in double loops.
    [Theory]
    [InlineData(0, 1)]
    [InlineData(6, 1)]
    [InlineData(0, 2)]
    [InlineData(10, 3)]
    public void ALayer_MixesItsAveragesWithThoseOfTheImages(int prior, int window)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        manual_seed(5);
        var layers = new[] { Layer(), Layer() };
        var pass = new ForwardPass { Space = new SubnetSpace([]), TestTime = new TestTimeStatistics(prior, window) };
        var seen = new[] { new List<double[,]>(), new List<double[,]>() };
        foreach (var images in new[] { 4, 4, 2, 5 })
        {
            var input = (randn(images, Channels, 2, 3) * 2) + 1;
            var expected = Columns(input);
            for (var i = 0; i < layers.Length; i++)
            {
                input = layers[i].Run(input, pass);
                seen[i].Add(expected);
                expected = Normalised(layers[i], expected, [.. seen[i].TakeLast(window)], prior);
            }

            var found = Columns(input);
            Assert.All(Indices(found), at => Assert.Equal(expected[at.Channel, at.Value], found[at.Channel, at.Value], 1e-4));
        }

        pass.TestTime.Dispose();

        // Six pixels an image.
        static double[,] Normalised(BatchNorm layer, double[,] input, double[][,] window, int prior)
        {
            const double Epsilon = 1e-5;
            var result = new double[Channels, input.GetLength(1)];
            for (var channel = 0; channel < Channels; channel++)
            {
                var values = window.SelectMany(batch => Enumerable.Range(0, batch.GetLength(1)).Select(i => batch[channel, i])).ToList();
                var images = values.Count / 6.0;
                var mean = values.Average();
                var variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
                double Of(string name) => layer.state_dict()[name][channel].item<float>();
                mean = ((prior * Of("running_mean")) + (images * mean)) / (prior + images);
                variance = ((prior * Of("running_var")) + (images * variance)) / (prior + images);
                for (var i = 0; i < input.GetLength(1); i++)
                {
                    result[channel, i] = ((input[channel, i] - mean) / Math.Sqrt(variance + Epsilon) * Of("weight")) + Of("bias");
                }
            }

            return result;
        }
    }

    [Fact]
    public void EveryLayerOfANetwork_IsAdapted_AndItsOwnAveragesStay()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        manual_seed(6);
        using var network = Small.Recipe.CreateNetwork(10);
        var images = rand(24, 3, 32, 32);
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        network.eval();
        var plain = network.call(images).clone();
        using var alone = new TestTimeStatistics(0, 1);
        using var trained = new TestTimeStatistics(1e12, 1);
        var adapted = network.Adapted(images, alone);
        Assert.All(before, pair => Assert.True(network.state_dict()[pair.Key].eq(pair.Value).all().item<bool>()));
        Assert.True(network.Adapted(images, trained).allclose(plain, 1e-4, 1e-5));
        // Training mode divides by n, not n - 1: a part in 300 of the last layer's variance.
        network.train();
        var batch = network.call(images);
        Assert.False(adapted.allclose(plain, 0.05, 0.05));
        Assert.True(adapted.allclose(batch, 0.01, 0.01));
    }

    [Fact]
    public void ASingleImageAtTheEnd_IsNormalisedWithTheBatchBeforeIt()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        manual_seed(8);
        var (layer, batches) = (Layer(), new[] { rand(4, Channels, 1, 1), rand(4, Channels, 1, 1), rand(1, Channels, 1, 1) });
        using var statistics = new TestTimeStatistics(0, 1);
        var pass = new ForwardPass { Space = new SubnetSpace([]), TestTime = statistics };
        var found = batches.Select(batch => layer.Run(batch, pass)).ToList();
        var (variance, mean) = var_mean(cat([batches[1], batches[2]]), [0, 2, 3], unbiased: true);
        var state = layer.state_dict();
        var expected = ((batches[2].view(Channels) - mean) / (variance + 1e-5).sqrt() * state["weight"]) + state["bias"];
        Assert.True(found[2].view(Channels).allclose(expected, 1e-4, 1e-5));

        using var first = new TestTimeStatistics(0, 2);
        Assert.Contains("has no variance", Assert.Throws<InputException>(() => layer.Run(batches[2], pass with { TestTime = first })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEvaluation_MeasuresThemApart()
    {
        manual_seed(7);
        using var network = Small.Recipe.CreateNetwork(10);
        // Another light than that of its averages.
        var (test, recipe) = (Small.Data.Test, Small.Recipe with { Evaluation = Small.Recipe.Evaluation with { Corruptions = "contrast", CorruptionImages = 0 } });
        var plain = new Evaluator(network, recipe, test, CPU, new SilentObserver());
        Assert.Null(plain.TestTime());
        var evaluator = new Evaluator(network, recipe with { Evaluation = recipe.Evaluation with { TestTimeBatch = test.Count, TestTimePrior = 8 } }, test, CPU, new SilentObserver());
        var measured = evaluator.TestTime()!;
        Assert.Equal(plain.Clean().Summary, evaluator.Clean().Summary);
        Assert.Equal(plain.Corrupted()!.Error["contrast"], evaluator.Corrupted()!.Error["contrast"]);
        Assert.Equal((test.Count, 1, 8), (measured.Batch, measured.Window, measured.Prior));

        // All images at once, in whatever order.
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var statistics = new TestTimeStatistics(8, 1);
        var batch = Assert.Single(Loaders.Measuring(recipe, test).InOrder());
        var logits = network.Adapted(WeakLink.Data.Pixels.ToUnit(batch.Images), statistics);
        Assert.Equal(logits.argmax(1).eq(batch.Labels).to(float64).mean().item<double>(), measured.Clean.Top1, 1e-9);
        Assert.Equal(nn.functional.cross_entropy(logits, batch.Labels).item<float>(), measured.Clean.Nll, 1e-4);
        Assert.NotEqual(plain.Clean().Summary.Nll, measured.Clean.Nll);
        Assert.Equal(5, measured.Corruptions!.Error["contrast"].Count);

        using var part = new SubnetNetwork(network, new Subnet([.. network.Space.Choices.Select(choice => (long[])[0])]), null);
        Assert.Contains("whole networks alone", Assert.Throws<InputException>(() => new Evaluator(part, evaluator.Recipe, test, CPU, new SilentObserver()).TestTime()).Message, StringComparison.Ordinal);
    }

    private static BatchNorm Layer()
    {
        var layer = new BatchNorm(Channels);
        layer.eval();
        foreach (var (name, value) in layer.state_dict().Where(pair => pair.Value.numel() == Channels))
        {
            value.copy_(rand(Channels) + 0.5);
        }

        return layer;
    }

    private static double[,] Columns(Tensor images)
    {
        var values = images.transpose(0, 1).reshape(Channels, -1).to(float64).contiguous();
        var result = new double[Channels, values.shape[1]];
        foreach (var (channel, value) in Indices(result))
        {
            result[channel, value] = values[channel, value].item<double>();
        }

        return result;
    }

    private static IEnumerable<(int Channel, int Value)> Indices(double[,] values) => Enumerable.Range(0, values.Length).Select(i => (i / values.GetLength(1), i % values.GetLength(1)));
}
