using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Objectives;

/// <summary>
/// TRADES (Zhang et al. 2019): CE(f(x), y) + β · KL(softmax f(x) ‖ softmax f(x')), where x' maximises that divergence. With EWS both views
/// are distilled, and the search's reward is the subnet's accuracy on x'.
/// </summary>
/// <param name="Attack">How x' is found.</param>
/// <param name="Beta">β: robustness against accuracy.</param>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
/// <param name="ClassWeights">How much the cross-entropy of an image of each class counts; null: all alike.</param>
/// <param name="Processes">Those that have the other images of a batch (see <see cref="CrossEntropy"/>); null: this one has all.</param>
public sealed record Trades(InnerAttack Attack, double Beta, double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null, ProcessGroup? Processes = null) : IObjective
{
    // Standard deviation of the noise that the attack starts from: at the image itself the divergence has no slope (the authors' value).
    private const double StartNoise = 0.001;

    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var images = views[0];
        torch.Tensor clean;
        using (torch.no_grad())
        {
            model.train(Attack.BatchStatistics);
            clean = torch.nn.functional.log_softmax(model.call(images), 1);
            model.train();
        }

        var noise = new float[images.numel()];
        var each = noise.Length / share.Positions.Count;
        foreach (var (i, position) in share.Positions.Index())
        {
            random.FillNormalFrom((long)position * each, noise.AsSpan(i * each, each));
        }

        var start = images.Plus(torch.tensor(noise, images.shape, device: images.device) * Kept(StartNoise));
        var adversarial = Attack.Climb(model, images, start, logits => share.PartOf(Distillation.Divergence(clean, logits)));
        return [adversarial.MoveToOuterDisposeScope(), images];
    }

    /// <inheritdoc/>
    /// <remarks>The images.</remarks>
    public int CalmView => 1;

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels)
    {
        var (adversarial, clean) = (logits[0], logits[1]);
        return new CrossEntropy(LabelSmoothing, ClassWeights, Processes).Of(clean, labels).Plus(Distillation.Divergence(torch.nn.functional.log_softmax(clean, 1), adversarial) * Kept(Beta));
    }
}
