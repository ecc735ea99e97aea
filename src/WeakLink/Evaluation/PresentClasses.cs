using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>
/// A classifier that is asked about the classes that a test set has, and those alone, as sets of some of ImageNet's classes are measured (ImageNet-A: Hendrycks et al.
/// 2021, https://arxiv.org/abs/1907.07174; ImageNet-R: https://arxiv.org/abs/2006.16241): the logits of the others are left out.
/// </summary>
public static class PresentClasses
{
    /// <summary>The classes that a set has images of, indices into its list, ascending.</summary>
    /// <param name="set">The whole set: a part of it may lack more.</param>
    public static IReadOnlyList<int> Of(Dataset set) => [.. Enumerable.Range(0, set.Count).Select(set.Label).Distinct().Order()];

    /// <summary>Measures on the images as they are.</summary>
    /// <param name="network">The finished network.</param>
    /// <param name="recipe">How images are prepared and batched.</param>
    /// <param name="test">Images of these classes, all or some.</param>
    /// <param name="classes">The classes, as <see cref="Of"/> names them.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <exception cref="InputException">A logit is not finite, or an image can't be read.</exception>
    public static ClassificationMetrics Measure(
        ClassifierNetwork network, Recipe recipe, Dataset test, IReadOnlyList<int> classes, torch.Device device, IRunObserver observer, CancellationToken stop = default)
    {
        network.eval();
        var images = new SubsetDataset(test, [.. Enumerable.Range(0, test.Count)], [.. classes.Select(label => test.Classes[label])]);
        using var kept = torch.tensor(classes.Select(label => (long)label).ToArray(), device: device);
        observer.Begin("among present classes", test.Count, "images");
        return CleanEvaluation.Measure(batch => network.call(batch).index_select(1, kept), Loaders.Measuring(recipe, images), device, done => observer.Advance(done), stop);
    }
}
