using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Subnets;

namespace WeakLink.Objectives;

/// <summary>The attack inside of a training step.</summary>
/// <param name="Threat">What the attacker may do.</param>
/// <param name="Steps">Steps.</param>
/// <param name="StepSize">Size of a step, in units of [0, 1].</param>
/// <param name="BatchStatistics">
/// Whether batch norm uses the batch's statistics during the attack (training mode, which also moves the running averages), or the
/// running ones (evaluation mode).
/// </param>
public sealed record InnerAttack(ThreatModel Threat, int Steps, double StepSize, bool BatchStatistics)
{
    /// <summary>Climbs a loss from a starting point.</summary>
    /// <param name="model">The network, in training mode; it is in training mode again afterwards.</param>
    /// <param name="images">Clean images, N×3×H×W in [0, 1].</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="loss">Logits to a scalar.</param>
    /// <returns>Adversarial examples.</returns>
    public torch.Tensor Climb(
        torch.nn.Module<torch.Tensor, torch.Tensor> model, torch.Tensor images, torch.Tensor start, Func<torch.Tensor, torch.Tensor> loss)
    {
        model.train(BatchStatistics);
        try
        {
            return Climb(images, start, point => loss(model.call(point)));
        }
        finally
        {
            model.train();
        }
    }

    /// <summary>Drives a subnet away from its teacher: x' that maximises KL(teacher ‖ softmax α(x')), from a random start.</summary>
    /// <param name="subnet">α, in training mode: images to logits. Batch norm uses the batch's statistics, as a subnet has no running averages.</param>
    /// <param name="images">Clean images, N×3×H×W in [0, 1].</param>
    /// <param name="teacher">The full network's logits, N×classes, detached.</param>
    /// <param name="share">Which images of the step's batch these are.</param>
    /// <param name="random">The draws of this step.</param>
    /// <returns>Adversarial examples.</returns>
    public torch.Tensor Mislead(Func<torch.Tensor, torch.Tensor> subnet, torch.Tensor images, torch.Tensor teacher, BatchShare share, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var target = torch.nn.functional.log_softmax(teacher, 1);
        return Climb(images, RandomStart(images, share, random), point => share.PartOf(Distillation.Divergence(target, subnet(point)))).MoveToOuterDisposeScope();
    }

    /// <summary>A random point of the ball around each image.</summary>
    public torch.Tensor RandomStart(torch.Tensor images, BatchShare share, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var draws = new AttackDraws((long)(random.NextBits() >> 1), 0, [.. share.Positions.Select(position => (long)position)]);
        return draws.Start(Threat, images).MoveToOuterDisposeScope();
    }

    private torch.Tensor Climb(torch.Tensor images, torch.Tensor start, Func<torch.Tensor, torch.Tensor> loss)
    {
        using var scope = torch.NewDisposeScope();
        var x = ProjectedGradientDescent.Climb(Threat, start, images, Steps, StepSize, point =>
        {
            using var inner = torch.NewDisposeScope();
            var variable = point.detach().requires_grad_();
            return torch.autograd.grad([loss(variable)], [variable])[0].MoveToOuterDisposeScope();
        });
        return x.MoveToOuterDisposeScope();
    }
}
