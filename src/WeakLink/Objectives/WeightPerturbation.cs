using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Objectives;

/// <summary>
/// Adversarial weight perturbation (Wu, Xia and Wang, NeurIPS 2020): the gradient of a step is taken at weights that were moved to make
/// the loss worse, each layer by γ times its own norm. Batch norm and biases stay.
/// </summary>
/// <param name="model">The network.</param>
/// <param name="gamma">γ.</param>
public sealed class WeightPerturbation(torch.nn.Module<torch.Tensor, torch.Tensor> model, double gamma) : IDisposable
{
    // One-dimensional parameters are scales, shifts and biases, which the authors leave alone.
    private readonly Parameter[] _weights = [.. model.parameters().Where(parameter => parameter.dim() > 1)];
    private readonly torch.Tensor[] _buffers = [.. model.buffers()];
    private List<torch.Tensor> _kept = [];

    /// <summary>Moves the weights.</summary>
    /// <param name="objective">What is made worse.</param>
    /// <param name="views">The inputs of the step.</param>
    /// <param name="labels">N class indices.</param>
    public void Perturb(IObjective objective, IReadOnlyList<torch.Tensor> views, torch.Tensor labels)
    {
        using var scope = torch.NewDisposeScope();
        // Running averages count what is trained on, not this look ahead.
        var buffers = _buffers.Select(buffer => buffer.clone()).ToList();
        var gradients = torch.autograd.grad([objective.Forward(model, views, labels).Loss], _weights);
        using var noGradients = torch.no_grad();
        _kept = [.. _weights.Select(weight => weight.clone().DetachFromDisposeScope())];
        for (var i = 0; i < _weights.Length; i++)
        {
            _weights[i].add_(gradients[i] * (_weights[i].norm() / (gradients[i].norm().Plus(1e-20))) * Kept(gamma), Kept(1));
        }

        for (var i = 0; i < _buffers.Length; i++)
        {
            _buffers[i].copy_(buffers[i]);
        }
    }

    // The authors take the optimiser's step first and subtract the move then: the same up to γ times the weight decay, and rounding.
    /// <summary>Puts the weights back to the bit; gradients stay. Does nothing where nothing was moved.</summary>
    public void Restore()
    {
        using var noGradients = torch.no_grad();
        for (var i = 0; i < _kept.Count; i++)
        {
            using (_kept[i])
            {
                _weights[i].copy_(_kept[i]);
            }
        }

        _kept = [];
    }

    /// <inheritdoc/>
    public void Dispose() => Restore();
}
