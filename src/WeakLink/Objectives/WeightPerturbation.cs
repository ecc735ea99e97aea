using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Objectives;

/// <summary>
/// Adversarial weight perturbation (Wu, Xia and Wang, NeurIPS 2020): the gradient of a step is taken at weights that were moved to make
/// the loss worse, each layer by γ times its own norm. Batch norm, biases and what is frozen stay.
/// </summary>
/// <param name="model">The network.</param>
/// <param name="gamma">γ.</param>
/// <param name="firstStep">The step of the run that is the first to be perturbed.</param>
/// <param name="processes">Those that train the network together; null: this one alone.</param>
public sealed class WeightPerturbation(torch.nn.Module<torch.Tensor, torch.Tensor> model, double gamma, long firstStep = 0, ProcessGroup? processes = null)
{
    // One-dimensional parameters are scales, shifts and biases, which the authors leave alone.
    private readonly Parameter[] _weights = [.. model.parameters().Where(parameter => parameter.dim() > 1)];
    private readonly torch.Tensor[] _buffers = [.. model.buffers()];

    /// <summary>Moves the weights.</summary>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="objective">What is made worse.</param>
    /// <param name="views">The views that the step trains on.</param>
    /// <param name="labels">N class indices (int64), or N×classes probabilities.</param>
    /// <param name="share">Which images of the step's batch these are.</param>
    /// <returns>Puts the weights back to the bit when it is disposed of, and leaves the gradients; null before the first step, where nothing moves.</returns>
    public IDisposable? Move(long step, IObjective objective, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share)
    {
        if (step < firstStep)
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        // Running averages count what is trained on, not this look ahead.
        var buffers = _buffers.Select(buffer => buffer.clone()).ToList();
        var weights = _weights.Where(weight => weight.requires_grad).ToArray();
        var gradients = torch.autograd.grad([share.PartOf(objective.Loss(objective.Run(model.call, views), labels))], weights);
        using var noGradients = torch.no_grad();
        processes?.Sum(gradients);
        // The authors take the optimiser's step first and subtract the move then: the same up to γ times the weight decay, and rounding.
        var start = new FormerValues(weights);
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i].add_(gradients[i] * (weights[i].norm() / (gradients[i].norm().Plus(1e-20))) * Kept(gamma), Kept(1));
        }

        for (var i = 0; i < _buffers.Length; i++)
        {
            _buffers[i].copy_(buffers[i]);
        }

        return start;
    }
}
