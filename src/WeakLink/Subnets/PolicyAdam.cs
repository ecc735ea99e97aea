using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Subnets;

/// <summary>TorchSharp's Adam, the steps of which keep their scalars alive (see <see cref="KeptScalars"/>).</summary>
internal sealed class PolicyAdam(Parameter[] weights, double learningRate, double beta1, double beta2) : Adam(weights, learningRate, beta1, beta2)
{
    // Keeps a weight whose gradients are all zero where it is (Kingma and Ba 2015).
    private const double Tiny = 1e-8;

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
            state.exp_avg.mul_(Kept(first)).add_(gradient, Kept(1 - first));
            state.exp_avg_sq.mul_(Kept(second)).addcmul_(gradient, gradient, Kept(1 - second));
            var spread = (state.exp_avg_sq.sqrt() / Kept(Math.Sqrt(1 - Math.Pow(second, state.step)))).add_(Kept(Tiny), Kept(1));
            parameter.addcdiv_(state.exp_avg, spread, Kept(-ParamGroups.First().LearningRate / (1 - Math.Pow(first, state.step))));
        }

        return loss!;
    }
}
