using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Objectives;

/// <summary>Cross-entropy on the images as they come, optionally with label smoothing (Szegedy et al. 2016).</summary>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
/// <param name="ClassWeights">How much an image of each class counts in the mean, as in PyTorch's <c>weight</c>; null: all alike.</param>
/// <param name="Processes">Those that have the other images of a batch, by whose classes an image counts, too; null: this one has all.</param>
public sealed record CrossEntropy(double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null, ProcessGroup? Processes = null) : IObjective
{
    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share, SeededRandom random) => views;

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels) => Of(logits[0], labels);

    /// <summary>The cross-entropy of some logits: the part of it in every objective.</summary>
    internal torch.Tensor Of(torch.Tensor logits, torch.Tensor labels)
    {
        using var weights = ClassWeights is null ? null : torch.tensor([.. ClassWeights.Select(weight => (float)weight)], device: logits.device);
        var mean = torch.nn.functional.cross_entropy(logits, labels, weights, label_smoothing: LabelSmoothing);
        // PyTorch divides by the sum of the weights of class indices, and by the number of images where there are probabilities.
        return weights is null || Processes is null or { Size: 1 } || labels.dim() > 1 ? mean : mean * Kept(Relative(labels));
    }

    // The weights of these images among all the batch's, in relation to how many these are among all.
    private double Relative(torch.Tensor labels)
    {
        var own = labels.cpu().data<long>().Sum(label => ClassWeights![(int)label]);
        Span<double> all = [own, labels.shape[0]];
        Processes!.Sum(all);
        return own / all[0] * (all[1] / labels.shape[0]);
    }
}
