using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Objectives;

/// <summary>
/// AugMix's objective (Hendrycks et al. 2020, section 3): cross-entropy on the clean view, and a Jensen-Shannon divergence that asks three
/// views of an image (the clean one and two mixtures) for the same answer: CE + weight · JS(p_clean; p_mixed1; p_mixed2).
/// </summary>
/// <remarks>With EWS all three views are distilled, and the search's reward is the subnet's accuracy on the clean one.</remarks>
/// <param name="Weight">Weight of the divergence; published: 12.</param>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
/// <param name="ClassWeights">How much the cross-entropy of an image of each class counts; null: all alike.</param>
/// <param name="Processes">Those that have the other images of a batch (see <see cref="CrossEntropy"/>); null: this one has all.</param>
public sealed record Consistency(double Weight = 12, double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null, ProcessGroup? Processes = null) : IObjective
{
    private const int Views = 3;

    // Keeps the logarithm of the mean finite (the authors' value).
    private const double LeastProbability = 1e-7;

    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share, SeededRandom random) =>
        views.Count == Views ? views : throw new ArgumentException($"There must be {Views} views of each image, not {views.Count}.", nameof(views));

    /// <inheritdoc/>
    /// <remarks>All in one batch, as published: batch norm sees the three views together.</remarks>
    public IReadOnlyList<torch.Tensor> Run(Func<torch.Tensor, torch.Tensor> network, IReadOnlyList<torch.Tensor> views) => network(torch.cat([.. views])).chunk(views.Count);

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels) =>
        new CrossEntropy(LabelSmoothing, ClassWeights, Processes).Of(logits[0], labels).Plus(Divergence(logits) * Kept(Weight));

    /// <summary>Jensen-Shannon divergence of several predictions, averaged over the images, in nats.</summary>
    /// <param name="logits">N×classes each.</param>
    public static torch.Tensor Divergence(IReadOnlyList<torch.Tensor> logits)
    {
        using var scope = torch.NewDisposeScope();
        var logarithms = logits.Select(one => torch.nn.functional.log_softmax(one, 1)).ToList();
        var mean = logarithms.Select(one => one.exp()).Aggregate((sum, one) => sum.Plus(one)) / Kept(logits.Count);
        var target = mean.clamp(Kept(LeastProbability), Kept(1)).log();
        return (logarithms.Select(one => (one.exp() * (one - target)).sum(1).mean()).Aggregate((sum, one) => sum.Plus(one)) / Kept(logits.Count)).MoveToOuterDisposeScope();
    }
}
