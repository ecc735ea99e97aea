using TorchSharp;
using WeakLink.Attacks;

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
        using var scope = torch.NewDisposeScope();
        model.train(BatchStatistics);
        try
        {
            var x = ProjectedGradientDescent.Climb(Threat, start, images, Steps, StepSize, point =>
            {
                using var inner = torch.NewDisposeScope();
                var variable = point.detach().requires_grad_();
                return torch.autograd.grad([loss(model.call(variable))], [variable])[0].MoveToOuterDisposeScope();
            });
            return x.MoveToOuterDisposeScope();
        }
        finally
        {
            model.train();
        }
    }

    /// <summary>A random point of the ball around each image.</summary>
    public torch.Tensor RandomStart(torch.Tensor images, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var draws = new AttackDraws((long)(random.NextBits() >> 1), 0, [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => (long)i)]);
        return draws.Start(Threat, images).MoveToOuterDisposeScope();
    }
}
