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
/// The full network teaches a subnet: λ · KL(softmax f(x) ‖ softmax α(x)), averaged over the views that the objective trained on
/// (Guo et al. 2022, section 3).
/// </summary>
/// <param name="Weight">λ.</param>
/// <param name="Mean">How the divergence is averaged.</param>
public sealed record Distillation(double Weight = 1, DivergenceMean Mean = DivergenceMean.BatchMean)
{
    /// <summary>Runs the subnet on every view and compares it with its teacher.</summary>
    /// <param name="network">The network, in training mode.</param>
    /// <param name="views">Inputs, N×3×H×W in [0, 1].</param>
    /// <param name="teacher">The full network's logits for each view, N×classes, detached.</param>
    /// <param name="subnet">The subnet to teach.</param>
    /// <returns>A scalar, differentiable in the subnet's weights; and the subnet's logits for the first view, N×classes.</returns>
    public (torch.Tensor Loss, torch.Tensor Logits) Loss(ISubnetNetwork network, IReadOnlyList<torch.Tensor> views, IReadOnlyList<torch.Tensor> teacher, Subnet subnet)
    {
        using var scope = torch.NewDisposeScope();
        var student = views.Select(view => network.forward(view, subnet)).ToList();
        var sum = student
            .Select((logits, i) => Divergence(teacher[i], logits))
            .Aggregate((total, divergence) => total.Plus(divergence));
        return ((sum * Kept(Weight / views.Count)).MoveToOuterDisposeScope(), student[0].detach().MoveToOuterDisposeScope());
    }

    private torch.Tensor Divergence(torch.Tensor teacher, torch.Tensor student)
    {
        var target = torch.nn.functional.log_softmax(teacher, 1);
        var terms = target.exp() * (target - torch.nn.functional.log_softmax(student, 1));
        return Mean == DivergenceMean.BatchMean ? terms.sum(1).mean() : terms.mean();
    }
}
