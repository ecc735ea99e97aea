using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Training;

/// <summary>TorchSharp's stochastic gradient descent, the steps of which keep their scalars alive (see <see cref="KeptScalars"/>).</summary>
public sealed class MomentumSgd : SGD
{
    private readonly Parameter[] _parameters;
    private readonly double _weightDecay;
    private readonly bool _nesterov;

    /// <summary>Prepares the descent.</summary>
    /// <param name="parameters">What it moves.</param>
    /// <param name="learningRate">Length of a step; the group's <c>LearningRate</c> changes it later.</param>
    /// <param name="momentum">Part of the last step's direction that goes on, in [0, 1).</param>
    /// <param name="weightDecay">L2 penalty, as a part of the gradient.</param>
    /// <param name="nesterov">Looks ahead along the momentum.</param>
    public MomentumSgd(IEnumerable<Parameter> parameters, double learningRate, double momentum, double weightDecay, bool nesterov)
        : this([.. parameters], learningRate, momentum, weightDecay, nesterov)
    {
    }

    private MomentumSgd(Parameter[] parameters, double learningRate, double momentum, double weightDecay, bool nesterov)
        : base(parameters, learningRate, momentum, 0, weightDecay, nesterov && momentum > 0, false)
    {
        (_parameters, _weightDecay, _nesterov) = (parameters, weightDecay, nesterov && momentum > 0);
    }

    /// <inheritdoc/>
    public override torch.Tensor step(Func<torch.Tensor>? closure = null)
    {
        var loss = closure?.Invoke();
        using var noGradients = torch.no_grad();
        var (momentum, rate) = (Momentum, ParamGroups.First().LearningRate);
        foreach (var parameter in _parameters)
        {
            using var scope = torch.NewDisposeScope();
            if (parameter.grad is not { } gradient)
            {
                continue;
            }

            var direction = _weightDecay == 0 ? gradient : gradient.add(parameter, Kept(_weightDecay));
            if (momentum != 0)
            {
                var state = (State)_state[parameter.Handle];
                var buffer = state.momentum_buffer?.mul_(Kept(momentum)).add_(direction, Kept(1)) ?? direction.clone().DetachFromDisposeScope();
                state.momentum_buffer = buffer;
                direction = _nesterov ? direction.add(buffer, Kept(momentum)) : buffer;
            }

            parameter.add_(direction, Kept(-rate));
        }

        return loss!;
    }
}
