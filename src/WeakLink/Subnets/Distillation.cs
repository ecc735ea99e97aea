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
        var sum = teacher.Zip(student, Averaged).Aggregate((total, divergence) => total.Plus(divergence));
        return (sum * Kept(Weight / teacher.Count)).MoveToOuterDisposeScope();
    }

    /// <summary>KL(target ‖ softmax of the logits), averaged over the images.</summary>
    /// <param name="logTarget">Logarithms of probabilities, N×classes.</param>
    /// <param name="logits">N×classes.</param>
    internal static torch.Tensor Divergence(torch.Tensor logTarget, torch.Tensor logits) => Terms(logTarget, logits).sum(1).mean();

    private static torch.Tensor Terms(torch.Tensor logTarget, torch.Tensor logits) => logTarget.exp() * (logTarget - torch.nn.functional.log_softmax(logits, 1));

    private torch.Tensor Averaged(torch.Tensor teacher, torch.Tensor student)
    {
        var target = torch.nn.functional.log_softmax(teacher, 1);
        return Mean == DivergenceMean.BatchMean ? Divergence(target, student) : Terms(target, student).mean();
    }
}
