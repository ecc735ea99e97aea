using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019), as PyTorch has it: Adam, before the steps of which every weight shrinks by rate · decay.
/// </summary>
/// <param name="groups">What it moves, each group by its own factors of rate and decay.</param>
/// <param name="learningRate">Length of a step; a group's <c>LearningRate</c> changes it later, before its factor.</param>
/// <param name="momentum">β1: decay of the mean of gradients, in [0, 1).</param>
/// <param name="weightDecay">Part by which a rate of 1 would shrink the weights in a step.</param>
public sealed class DecoupledAdam(IEnumerable<ParameterGroup> groups, double learningRate, double momentum, double weightDecay)
    : ResumableOptimizer(groups, learningRate, weightDecay)
{
    private const string First = "first", Second = "second", Steps = "steps";

    // β2: PyTorch's default, and the paper's.
    private const double SecondDecay = 0.999;

    /// <inheritdoc/>
    protected override void Move(Parameter parameter, torch.Tensor gradient, double rate, double decay, IDictionary<string, torch.Tensor> state)
    {
        if (state.Count == 0)
        {
            state.Add(First, torch.zeros_like(parameter).DetachFromDisposeScope());
            state.Add(Second, torch.zeros_like(parameter).DetachFromDisposeScope());
            state.Add(Steps, torch.zeros(1, torch.int64).DetachFromDisposeScope());
        }

        // A parameter's own: one that is frozen at first has no step behind it when it begins to move.
        var steps = state[Steps].add_(Kept(1), Kept(1)).ReadInt64();
        parameter.mul_(Kept(1 - (rate * decay)));
        AdamStep.Move(parameter, gradient, state[First], state[Second], steps, rate, momentum, SecondDecay);
    }
}
