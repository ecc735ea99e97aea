using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Subnets;

/// <summary>TorchSharp's Adam, the steps of which keep their scalars alive (see <see cref="KeptScalars"/>).</summary>
internal sealed class PolicyAdam(Parameter[] weights, double learningRate, double beta1, double beta2) : Adam(weights, learningRate, beta1, beta2)
{
    public override torch.Tensor step(Func<torch.Tensor>? closure = null)
    {
        var loss = closure?.Invoke();
        using var noGradients = torch.no_grad();
        var (first, second) = Betas;
        foreach (var parameter in weights)
        {
            using var scope = torch.NewDisposeScope();
            if (parameter.grad is not { } gradient)
            {
                continue;
            }

            var state = (State)_state[parameter.Handle];
            state.step++;
            AdamStep.Move(parameter, gradient, state.exp_avg, state.exp_avg_sq, state.step, ParamGroups.First().LearningRate, first, second);
        }

        return loss!;
    }
}
