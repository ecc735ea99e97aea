using TorchSharp;

namespace WeakLink.Processes;

/// <summary>A sum over processes with a gradient: what the loss of any of them says of the sum, it says of every summand, so the gradients are summed, too.</summary>
internal sealed class DifferentiableSum : torch.autograd.SingleTensorFunction<DifferentiableSum>
{
    private const string Processes = "processes";

    /// <inheritdoc/>
    public override string Name => nameof(DifferentiableSum);

    /// <summary>The sum.</summary>
    /// <param name="values">Contiguous, float64.</param>
    /// <param name="processes">Over which processes.</param>
    public static torch.Tensor Of(torch.Tensor values, ProcessGroup processes) => apply(values, processes);

    /// <inheritdoc/>
    public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Processes, vars[1]);
        return Summed((torch.Tensor)vars[0], (ProcessGroup)vars[1]);
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output) =>
        [Summed(grad_output, (ProcessGroup)ctx.get_data(Processes)), null!];

    private static torch.Tensor Summed(torch.Tensor values, ProcessGroup processes)
    {
        var sum = values.contiguous().clone();
        processes.Sum(sum);
        return sum;
    }
}
