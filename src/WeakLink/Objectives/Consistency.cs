using TorchSharp;

namespace WeakLink.Objectives;

/// <summary>
/// AugMix's objective (Hendrycks et al. 2020, section 3): cross-entropy on the clean view, and a Jensen-Shannon divergence that asks three
/// views of an image (the clean one and two mixtures) for the same answer: CE + weight · JS(p_clean; p_mixed1; p_mixed2).
/// </summary>
/// <remarks>The three go through the network in one batch, as published, so batch norm sees all. With EWS all three are distilled, and the search's reward is the subnet's accuracy on the clean ones.</remarks>
/// <param name="Weight">Weight of the divergence; published: 12.</param>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
public sealed record Consistency(double Weight = 12, double LabelSmoothing = 0) : IObjective
{
    private const int Views = 3;

    // Keeps the logarithm of the mean finite (the authors' value).
    private const double LeastProbability = 1e-7;

    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, torch.Tensor images, torch.Tensor labels, SeededRandom random) =>
        images.shape[0] == Views * labels.shape[0]
            ? [images]
            : throw new ArgumentException($"There must be {Views} views of each of the {labels.shape[0]} images, not {images.shape[0]} images.", nameof(images));

    /// <inheritdoc/>
    public ObjectiveOutput Forward(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels)
    {
        var logits = model.call(views[0]);
        var byView = logits.chunk(Views);
        var loss = torch.nn.functional.cross_entropy(byView[0], labels, label_smoothing: LabelSmoothing).Plus(Divergence(byView) * Kept(Weight));
        return new ObjectiveOutput(loss, [logits]);
    }

    /// <summary>Jensen-Shannon divergence of several predictions, averaged over the images, in nats.</summary>
    /// <param name="logits">N×classes each.</param>
    public static torch.Tensor Divergence(IReadOnlyList<torch.Tensor> logits)
    {
        var logarithms = logits.Select(one => torch.nn.functional.log_softmax(one, 1)).ToList();
        var mean = logarithms.Select(one => one.exp()).Aggregate((sum, one) => sum.Plus(one)) / Kept(logits.Count);
        var target = mean.clamp(Kept(LeastProbability), Kept(1)).log();
        return logarithms.Select(one => (one.exp() * (one - target)).sum(1).mean()).Aggregate((sum, one) => sum.Plus(one)) / Kept(logits.Count);
    }
}
