using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Objectives;

/// <summary>
/// Cross-entropy on adversarial examples: PGD adversarial training (Madry et al. 2018), and with a single step from a random start the
/// cheap variant of Wong et al. 2020.
/// </summary>
/// <param name="Attack">How the examples are found.</param>
/// <param name="LabelSmoothing">Probability spread evenly over all classes; in [0, 1).</param>
/// <param name="ClassWeights">How much an image of each class counts; null: all alike.</param>
/// <param name="Processes">Those that have the other images of a batch (see <see cref="CrossEntropy"/>); null: this one has all.</param>
public sealed record AdversarialTraining(InnerAttack Attack, double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null, ProcessGroup? Processes = null) : IObjective
{
    /// <inheritdoc/>
    public IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var start = Attack.RandomStart(views[0], share, random);
        return [Attack.Climb(model, views[0], start, logits => share.PartOf(torch.nn.functional.cross_entropy(logits, labels))).MoveToOuterDisposeScope()];
    }

    /// <inheritdoc/>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels) => new CrossEntropy(LabelSmoothing, ClassWeights, Processes).Loss(logits, labels);
}
