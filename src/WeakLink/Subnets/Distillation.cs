using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>How the distillation divergence is averaged.</summary>
public enum DivergenceMean
{
    /// <summary>Over the images.</summary>
    BatchMean,

    /// <summary>Over images and classes, as in the authors' code: λ is silently divided by the number of classes.</summary>
    BatchAndClassMean,
}

/// <summary>
/// The full network teaches a subnet: λ · KL(softmax f(x) ‖ softmax α(x)), averaged over the views that the subnet sees
/// (Guo et al. 2022, section 3).
/// </summary>
/// <param name="Weight">λ.</param>
/// <param name="Mean">How the divergence is averaged.</param>
public sealed record Distillation(double Weight = 1, DivergenceMean Mean = DivergenceMean.BatchMean)
{
    /// <summary>λ · KL(teacher ‖ student).</summary>
    /// <param name="teacher">The full network's logits for each view, N×classes, detached.</param>
    /// <param name="student">The subnet's, of the same views or of others of the same images.</param>
    /// <returns>A scalar, differentiable in the student's logits.</returns>
    public torch.Tensor Loss(IReadOnlyList<torch.Tensor> teacher, IReadOnlyList<torch.Tensor> student)
    {
        using var scope = torch.NewDisposeScope();
        return Weighted(Divergence(teacher, student), student[0].shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>The loss, of the divergence.</summary>
    /// <param name="divergence">KL(teacher ‖ student) in nats, averaged over images and views.</param>
    /// <param name="classes">Number of classes.</param>
    internal torch.Tensor Weighted(torch.Tensor divergence, long classes) => divergence * Kept(Mean == DivergenceMean.BatchMean ? Weight : Weight / classes);

    /// <summary>KL(teacher ‖ student) in nats, averaged over images and views: what is reported, however <see cref="Mean"/> averages the loss.</summary>
    /// <param name="teacher">Logits for each view, N×classes, detached.</param>
    /// <param name="student">Logits, of the same views or of others of the same images.</param>
    internal static torch.Tensor Divergence(IReadOnlyList<torch.Tensor> teacher, IReadOnlyList<torch.Tensor> student)
    {
        ArgumentOutOfRangeException.ThrowIfZero(teacher.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(student.Count, teacher.Count);
        using var scope = torch.NewDisposeScope();
        var sum = teacher.Zip(student, (its, own) => Divergence(torch.nn.functional.log_softmax(its, 1), own)).Aggregate((total, divergence) => total.Plus(divergence));
        return (sum * Kept(1.0 / teacher.Count)).MoveToOuterDisposeScope();
    }

    /// <summary>KL(target ‖ softmax of the logits), averaged over the images.</summary>
    /// <param name="logTarget">Logarithms of probabilities, N×classes.</param>
    /// <param name="logits">N×classes.</param>
    internal static torch.Tensor Divergence(torch.Tensor logTarget, torch.Tensor logits) =>
        (logTarget.exp() * (logTarget - torch.nn.functional.log_softmax(logits, 1))).sum(1).mean();
}
