using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Training;

/// <summary>Stochastic gradient descent with momentum, as PyTorch has it.</summary>
/// <param name="groups">What it moves, each group by its own factors of rate and decay.</param>
/// <param name="learningRate">Length of a step; a group's <c>LearningRate</c> changes it later, before its factor.</param>
/// <param name="momentum">Part of the last step's direction that goes on, in [0, 1).</param>
/// <param name="weightDecay">L2 penalty, as a part of the gradient.</param>
/// <param name="nesterov">Looks ahead along the momentum.</param>
public sealed class MomentumSgd(IEnumerable<ParameterGroup> groups, double learningRate, double momentum, double weightDecay, bool nesterov)
    : ResumableOptimizer(groups, learningRate, weightDecay)
{
    private const string Momentum = "momentum";

    /// <summary>Moves all parameters alike.</summary>
    /// <inheritdoc cref="MomentumSgd(IEnumerable{ParameterGroup}, double, double, double, bool)"/>
    public MomentumSgd(IEnumerable<Parameter> parameters, double learningRate, double momentum, double weightDecay, bool nesterov)
        : this([new ParameterGroup([.. parameters])], learningRate, momentum, weightDecay, nesterov)
    {
    }

    /// <inheritdoc/>
    protected override void Move(Parameter parameter, torch.Tensor gradient, double rate, double decay, IDictionary<string, torch.Tensor> state)
    {
        var direction = decay == 0 ? gradient : gradient.add(parameter, Kept(decay));
        if (momentum != 0)
        {
            var buffer = state.TryGetValue(Momentum, out var last) ? last.mul_(Kept(momentum)).add_(direction, Kept(1)) : direction.clone().DetachFromDisposeScope();
            state[Momentum] = buffer;
            direction = nesterov ? direction.add(buffer, Kept(momentum)) : buffer;
        }

        parameter.add_(direction, Kept(-rate));
    }
}
