using TorchSharp;

namespace WeakLink.Objectives;

/// <summary>Cross-entropy on the images as they come, optionally with label smoothing (Szegedy et al. 2016).</summary>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
public sealed record CrossEntropy(double LabelSmoothing = 0) : IObjective
{
    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, torch.Tensor images, torch.Tensor labels, SeededRandom random) => [images];

    /// <inheritdoc/>
    public ObjectiveOutput Forward(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels)
    {
        var logits = model.call(views[0]);
        return new ObjectiveOutput(torch.nn.functional.cross_entropy(logits, labels, label_smoothing: LabelSmoothing), [logits]);
    }
}
