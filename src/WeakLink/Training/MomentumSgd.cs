using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Training;

/// <summary>TorchSharp's stochastic gradient descent, the steps of which keep their scalars alive (see <see cref="KeptScalars"/>).</summary>
/// <param name="groups">What it moves, each group by its own factors of rate and decay.</param>
/// <param name="learningRate">Length of a step; a group's <c>LearningRate</c> changes it later, before its factor.</param>
/// <param name="momentum">Part of the last step's direction that goes on, in [0, 1).</param>
/// <param name="weightDecay">L2 penalty, as a part of the gradient.</param>
/// <param name="nesterov">Looks ahead along the momentum.</param>
public sealed class MomentumSgd(IEnumerable<ParameterGroup> groups, double learningRate, double momentum, double weightDecay, bool nesterov)
    : SGD([.. groups.Select(group => new Group(group, weightDecay))], learningRate, momentum, 0, weightDecay, nesterov && momentum > 0, false)
{
    /// <summary>Moves all parameters alike.</summary>
    /// <inheritdoc cref="MomentumSgd(IEnumerable{ParameterGroup}, double, double, double, bool)"/>
    public MomentumSgd(IEnumerable<Parameter> parameters, double learningRate, double momentum, double weightDecay, bool nesterov)
        : this([new ParameterGroup([.. parameters])], learningRate, momentum, weightDecay, nesterov)
    {
    }

    /// <inheritdoc/>
    public override torch.Tensor step(Func<torch.Tensor>? closure = null) => _step<ParamGroup>(
        group =>
        {
            var options = group.Options;
            var (rate, decay, momentum) = (options.LearningRate!.Value * ((group as Group)?.Rate ?? 1), options.weight_decay!.Value, options.momentum!.Value);
            foreach (var parameter in group.Parameters)
            {
                using var scope = torch.NewDisposeScope();
                if (parameter.grad is not { } gradient)
                {
                    continue;
                }

                var direction = decay == 0 ? gradient : gradient.add(parameter, Kept(decay));
                if (momentum != 0)
                {
                    var state = StateOf(parameter);
                    var buffer = state.momentum_buffer?.mul_(Kept(momentum)).add_(direction, Kept(1)) ?? direction.clone().DetachFromDisposeScope();
                    state.momentum_buffer = buffer;
                    direction = options.nesterov!.Value ? direction.add(buffer, Kept(momentum)) : buffer;
                }

                parameter.add_(direction, Kept(-rate));
            }
        },
        closure);

    /// <summary>The direction in which a parameter moves on; not a copy. Null before its first step, or without momentum.</summary>
    public torch.Tensor? MomentumOf(Parameter parameter) => StateOf(parameter).momentum_buffer;

    /// <summary>Lets a parameter move on in a direction that <see cref="MomentumOf"/> gave, of which a copy is taken.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="momentum">Of its shape and type; null: as before its first step.</param>
    public void SetMomentum(Parameter parameter, torch.Tensor? momentum)
    {
        var state = StateOf(parameter);
        state.momentum_buffer?.Dispose();
        state.momentum_buffer = momentum?.to(parameter.device, copy: true).DetachFromDisposeScope()!;
    }

    private State StateOf(Parameter parameter) => (State)_state[parameter.Handle];

    private sealed class Group(ParameterGroup group, double weightDecay) : ParamGroup(group.Parameters, new Options { weight_decay = weightDecay * group.Decay })
    {
        public double Rate => group.Rate;
    }
}
