using TorchSharp;
using WeakLink.Data;
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
    /// <param name="evaluator">The network, and images of these classes, all or some.</param>
    /// <param name="classes">The classes, as <see cref="Of"/> names them.</param>
    /// <exception cref="InputException">A logit is not finite, or an image can't be read.</exception>
    public static CleanSummary Measure(Evaluator evaluator, IReadOnlyList<int> classes)
    {
        using var network = evaluator.Measured();
        var test = evaluator.Images;
        var images = new SubsetDataset(test, [.. Enumerable.Range(0, test.Count)], [.. classes.Select(label => test.Classes[label])]);
        using var present = torch.tensor(classes.Select(label => (long)label).ToArray(), device: evaluator.Device);
        evaluator.Observer.Begin("among present classes", test.Count, "images");
        return CleanEvaluation.Measure(batch => network.Classify(batch).index_select(1, present), Loaders.Measuring(evaluator.Recipe, images), kept: null, evaluator.Device, evaluator.Observer, evaluator.Processes, evaluator.Stop).Summary;
    }
}

/// <summary>Accuracy and calibration of a network that is asked about some of its classes alone (see <see cref="PresentClasses"/>).</summary>
/// <param name="Classes">How many.</param>
/// <param name="Clean">Accuracy and calibration.</param>
public sealed record PresentSummary([property: Limits(1, int.MaxValue)] int Classes, CleanSummary Clean);
