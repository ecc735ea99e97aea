using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>Accuracy of several subnets.</summary>
/// <param name="Mean">Mean accuracy.</param>
/// <param name="Min">Accuracy of the weakest.</param>
/// <param name="All">Every subnet's accuracy.</param>
public sealed record SubnetAccuracy(double Mean, double Min, IReadOnlyList<double> All)
{
    /// <summary>Summarises accuracies.</summary>
    public static SubnetAccuracy Of(IReadOnlyList<double> accuracies) => new(accuracies.Average(), accuracies.Min(), accuracies);
}

/// <summary>How weak a network's subnets are.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Images">Test images that each subnet was measured on.</param>
/// <param name="Recalibrated">Training images on which each subnet's batch-norm statistics were re-estimated; 0: the full network's running averages were used.</param>
/// <param name="Full">Accuracy of the full network on the same images.</param>
/// <param name="Random">Uniformly random subnets.</param>
/// <param name="Proposed">Subnets proposed by a policy trained against the finished network.</param>
/// <param name="Weakest">The first of all these subnets with the lowest accuracy.</param>
public sealed record SubnetMetrics(double Width, int Images, int Recalibrated, double Full, SubnetAccuracy Random, SubnetAccuracy Proposed, Subnet Weakest);

/// <summary>Settings of a subnet measurement.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Count">Random subnets, and as many proposed ones.</param>
/// <param name="RecalibrationImages">Training images for re-estimated statistics; 0: the full network's running averages.</param>
/// <param name="SearchUpdates">Updates of the policy that proposes.</param>
public sealed record SubnetEvaluationOptions(double Width, int Count, int RecalibrationImages, int SearchUpdates)
{
    /// <summary>Steps of progress: updates of the policy, and subnets measured.</summary>
    public int Steps => SearchUpdates + (2 * Count);
}

/// <summary>
/// Measures subnets of a finished network: k random ones and k proposed by a policy that was trained against this very network,
/// with the same budget whichever way the network was trained, so that networks trained with and without EWS compare fairly.
/// </summary>
public static class SubnetEvaluation
{
    // The settings of training (3e-4, 0.99) are for tens of thousands of updates; here there are a few hundred, against a network that
    // stands still. Always the same images: subnets of one width differ by little more than batches of 64 images do.
    private const double PolicyLearningRate = 0.005;
    private const double PolicyBaselineDecay = 0.9;

    /// <summary>Training images that a search's reward is measured on.</summary>
    internal const int RewardImages = 256;

    /// <summary>Which draws of the seed a policy's search takes.</summary>
    internal const int PolicyDraws = -1;

    /// <summary>Measures.</summary>
    /// <param name="network">The finished network; its weights and running averages stay as they are.</param>
    /// <param name="test">Images to measure on, in order.</param>
    /// <param name="training">Training images, for the search's reward and the statistics.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="seed">Decides the subnets and the training images used.</param>
    /// <param name="progress">Told the steps done, of <see cref="SubnetEvaluationOptions.Steps"/>.</param>
    /// <param name="stop">Stops between two subnets.</param>
    public static SubnetMetrics Measure(
        ClassifierNetwork network,
        BatchLoader test,
        BatchLoader training,
        SubnetEvaluationOptions options,
        torch.Device device,
        long seed,
        Action<int>? progress = null,
        CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var images = test.InOrder().ToList();
        var statisticsImages = Batches(training, options.RecalibrationImages, seed);
        network.eval();
        var full = Accuracy(images, batch => network.call(batch), device, stop);

        using var random = new RandomSearch(network.Space, options.Width);
        using var policy = TrainedPolicy(network, training, options, device, seed, progress, stop);
        var done = options.SearchUpdates;
        var (weakest, lowest) = ((Subnet?)null, double.PositiveInfinity);
        var accuracies = new[] { (ISubnetSearch)random, policy }.Select((search, kind) => SubnetAccuracy.Of(
            [.. Enumerable.Range(0, options.Count).Select(i =>
            {
                var subnet = search.Propose(new SearchContext(new SeededRandom(seed, RandomUse.SubnetEvaluation, kind, i)));
                using var statistics = Reestimated(network, subnet, statisticsImages, device);
                var accuracy = Accuracy(images, batch => network.forward(batch, subnet, statistics), device, stop);
                (weakest, lowest) = accuracy < lowest ? (subnet, accuracy) : (weakest, lowest);
                progress?.Invoke(++done);
                return accuracy;
            })])).ToList();

        return new SubnetMetrics(
            options.Width,
            images.Sum(batch => (int)batch.Labels.shape[0]),
            statisticsImages.Sum(batch => (int)batch.Labels.shape[0]),
            full,
            accuracies[0],
            accuracies[1],
            weakest!);
    }

    /// <summary>A subnet's batch-norm statistics as <see cref="Measure"/> re-estimates them.</summary>
    /// <param name="network">The finished network; its weights and running averages stay as they are.</param>
    /// <param name="subnet">The subnet.</param>
    /// <param name="training">Training images.</param>
    /// <param name="images">How many of them to use, in whole batches; 0: none.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="seed">Decides which images.</param>
    /// <returns>The statistics; null, which stands for the full network's running averages, where there are no images.</returns>
    public static SubnetStatistics? Recalibrate(ClassifierNetwork network, Subnet subnet, BatchLoader training, int images, torch.Device device, long seed)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        return Reestimated(network, subnet, Batches(training, images, seed), device);
    }

    /// <summary>An untrained policy with the settings for a search of a few hundred passes.</summary>
    internal static PolicySearch NewPolicy(SubnetSpace space, double width, long seed) =>
        new(space, new EwsRecipe { Width = width, PolicyLearningRate = PolicyLearningRate, BaselineDecay = PolicyBaselineDecay, PolicyEvery = 1 }, seed);

    /// <summary>A subnet's statistics of these images; null where there are none. Leaves the network in evaluation mode.</summary>
    internal static SubnetStatistics? Reestimated(ClassifierNetwork network, Subnet subnet, IReadOnlyList<Batch> images, torch.Device device)
    {
        if (images.Count == 0)
        {
            return null;
        }

        var statistics = new SubnetStatistics();
        network.train();
        foreach (var batch in images)
        {
            using var scope = torch.NewDisposeScope();
            statistics.NextBatch();
            network.forward(Pixels.ToUnit(batch.Images.to(device)), subnet, statistics);
        }

        network.eval();
        return statistics;
    }

    private static PolicySearch TrainedPolicy(
        ClassifierNetwork network, BatchLoader training, SubnetEvaluationOptions options, torch.Device device, long seed, Action<int>? progress, CancellationToken stop)
    {
        var policy = NewPolicy(network.Space, options.Width, seed);
        var images = options.SearchUpdates > 0 ? Batches(training, RewardImages, seed) : [];
        network.train();
        SearchTrial.Run(policy, subnet => Accuracy(images, batch => network.forward(batch, subnet), device, stop), options.SearchUpdates, PolicyDraws, seed, progress);
        network.eval();
        return policy;
    }

    /// <summary>Whole batches of training images, at least as many as asked for while there are any.</summary>
    internal static List<Batch> Batches(BatchLoader training, int images, long seed)
    {
        var batches = new List<Batch>();
        for (var count = 0; count < images; count += (int)batches[^1].Labels.shape[0])
        {
            using var more = training.Training(seed, int.MinValue, batches.Count).GetEnumerator();
            if (!more.MoveNext())
            {
                break;
            }

            batches.Add(more.Current);
        }

        return batches;
    }

    /// <summary>Share of the images that are classified as labelled.</summary>
    internal static double Accuracy(IReadOnlyList<Batch> images, Func<torch.Tensor, torch.Tensor> classify, torch.Device device, CancellationToken stop)
    {
        long correct = 0, count = 0;
        foreach (var batch in images)
        {
            stop.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            var logits = FiniteLogits.Require(classify(Pixels.ToUnit(batch.Images.to(device))), position => $"image {count + position} of those that subnets are measured on");
            correct += logits.argmax(1).eq(batch.Labels.to(device)).sum().ReadInt64();
            count += batch.Labels.shape[0];
        }

        return (double)correct / count;
    }
}
