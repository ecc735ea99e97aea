using TorchSharp;

namespace WeakLink.Objectives;

/// <summary>Cross-entropy on the images as they come, optionally with label smoothing (Szegedy et al. 2016).</summary>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
/// <param name="ClassWeights">How much an image of each class counts in the mean, as in PyTorch's <c>weight</c>; null: all alike.</param>
public sealed record CrossEntropy(double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null) : IObjective
{
    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, SeededRandom random) => views;

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels) => Of(logits[0], labels);

    /// <summary>The cross-entropy of some logits: the part of it in every objective.</summary>
    internal torch.Tensor Of(torch.Tensor logits, torch.Tensor labels)
    {
        using var weights = ClassWeights is null ? null : torch.tensor([.. ClassWeights.Select(weight => (float)weight)], device: logits.device);
        return torch.nn.functional.cross_entropy(logits, labels, weights, label_smoothing: LabelSmoothing);
    }
}
