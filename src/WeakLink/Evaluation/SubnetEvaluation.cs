using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

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

    /// <summary>Measures subnets as the recipe says.</summary>
    /// <param name="evaluator">What to measure on, all of it.</param>
    /// <param name="network">The evaluator's network; its weights and running averages stay as they are.</param>
    /// <param name="training">Training images, for the search's reward and the statistics.</param>
    internal static SubnetMeasurement Measure(Evaluator evaluator, ClassifierNetwork network, Dataset training)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var (recipe, settings, observer) = (evaluator.Recipe, evaluator.Recipe.Evaluation, evaluator.Observer);
        var width = settings.SubnetWidth > 0 ? settings.SubnetWidth : recipe.Ews.Width;
        var done = 0;
        observer.Begin("subnets", settings.SearchUpdates + (2 * settings.Subnets), "steps", evaluator.Before("search ") + evaluator.Before("subnet "));
        var images = Loaders.Measuring(recipe, evaluator.Images).InOrder().ToList();
        var loader = Loaders.Recalibrating(recipe, training);
        var statisticsImages = Batches(loader, settings.RecalibrationImages, recipe.Seed);
        var full = evaluator.Once("full network", () => Measured(null, null));

        using var random = new RandomSearch(network.Space, width);
        using var policy = TrainedPolicy();
        var (weakest, lowest) = ((Subnet?)null, double.PositiveInfinity);
        var accuracies = new[] { (ISubnetSearch)random, policy }.Select((search, kind) =>
        {
            var subnets = evaluator.Processes.From(Enumerable.Range(0, settings.Subnets)
                .Select(i => search.Propose(new SearchContext(new SeededRandom(recipe.Seed, RandomUse.SubnetEvaluation, kind, i)))).ToArray());
            return SpreadSummary.Of(evaluator.Each(
                [.. subnets.Select((_, i) => $"subnet {kind} {i}")],
                i =>
                {
                    using var statistics = Reestimated(network, subnets[i], statisticsImages, evaluator.Device);
                    return Measured(subnets[i], statistics);
                },
                (i, accuracy) =>
                {
                    (weakest, lowest) = accuracy < lowest ? (subnets[i], accuracy) : (weakest, lowest);
                    observer.Advance(++done);
                }));
        }).ToList();

        return new(new SubnetSummary(width, Count(images), Count(statisticsImages), full, accuracies[0], accuracies[1]), weakest!);

        double Measured(Subnet? subnet, SubnetStatistics? statistics)
        {
            using var measured = evaluator.Measured(subnet, statistics);
            return Accuracy(images, measured.Classify, evaluator.Device, evaluator.Stop);
        }

        // Its subnets are judged, and their statistics estimated, with those of the batch, in training mode: nothing can be folded there, and larger batches would be other statistics.
        PolicySearch TrainedPolicy()
        {
            var trained = NewPolicy(network.Space, width, recipe.Seed);
            var reward = settings.SearchUpdates > 0 ? Batches(loader, RewardImages, recipe.Seed) : [];
            network.train();
            SearchTrial.Run(
                trained,
                subnet =>
                {
                    // Always in the same order: what the search learnt from is replayed.
                    var accuracy = evaluator.Once($"search {done}", () => Accuracy(reward, batch => network.forward(batch, subnet), evaluator.Device, evaluator.Stop));
                    observer.Advance(++done);
                    return accuracy;
                },
                settings.SearchUpdates,
                PolicyDraws,
                recipe.Seed);
            network.eval();
            return trained;
        }

        static int Count(List<Batch> batches) => batches.Sum(batch => (int)batch.Labels.shape[0]);
    }

    /// <summary>A subnet's batch-norm statistics as <see cref="Evaluator.Subnets"/> re-estimates them.</summary>
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
        try
        {
            foreach (var batch in images)
            {
                using var scope = torch.NewDisposeScope();
                statistics.NextBatch();
                network.forward(Pixels.ToUnit(batch.Images.to(device)), subnet, statistics);
            }
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
        finally
        {
            network.eval();
        }

        return statistics;
    }

    /// <summary>Whole batches of training images, at least as many as asked for while there are any.</summary>
    internal static List<Batch> Batches(BatchLoader training, int images, long seed)
    {
        var (batches, count) = (new List<Batch>(), 0);
        if (images == 0)
        {
            return batches;
        }

        foreach (var batch in training.Training(seed, int.MinValue))
        {
            batches.Add(batch);
            count += (int)batch.Labels.shape[0];
            if (count >= images)
            {
                break;
            }
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
