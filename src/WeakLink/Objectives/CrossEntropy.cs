using TorchSharp;

namespace WeakLink.Objectives;

/// <summary>Cross-entropy on the images as they come, optionally with label smoothing (Szegedy et al. 2016).</summary>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
public sealed record CrossEntropy(double LabelSmoothing = 0) : IObjective
{
    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, SeededRandom random) => views;

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels) =>
        torch.nn.functional.cross_entropy(logits[0], labels, label_smoothing: LabelSmoothing);
}
