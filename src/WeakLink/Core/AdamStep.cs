using TorchSharp;

namespace WeakLink;

/// <summary>One step of Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1), the order of operations being PyTorch's.</summary>
internal static class AdamStep
{
    // The paper's, and PyTorch's: it keeps a weight whose gradients are all zero where it is.
    private const double Tiny = 1e-8;

    /// <summary>Moves a weight, and what is kept of it.</summary>
    /// <param name="weight">The weight, moved in place.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="first">Decaying mean of its gradients, moved in place; zero before the first step.</param>
    /// <param name="second">Decaying mean of their squares, moved in place; zero before the first step.</param>
    /// <param name="steps">This one's number, from 1.</param>
    /// <param name="rate">Length of the step.</param>
    /// <param name="beta1">Decay of the first mean, in [0, 1).</param>
    /// <param name="beta2">Decay of the second, in [0, 1).</param>
    public static void Move(torch.Tensor weight, torch.Tensor gradient, torch.Tensor first, torch.Tensor second, long steps, double rate, double beta1, double beta2)
    {
        first.mul_(Kept(beta1)).add_(gradient, Kept(1 - beta1));
        second.mul_(Kept(beta2)).addcmul_(gradient, gradient, Kept(1 - beta2));
        var spread = (second.sqrt() / Kept(Math.Sqrt(1 - Math.Pow(beta2, steps)))).add_(Kept(Tiny), Kept(1));
        weight.addcdiv_(first, spread, Kept(-rate / (1 - Math.Pow(beta1, steps))));
    }
}
