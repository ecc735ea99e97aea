using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// What is not a number is not a class: a network that gives NaN or infinity has weights that mean nothing, and libtorch's argmax would make class 0 of
/// it. What is measured comes through here before logits become classes.
/// </summary>
public static class FiniteLogits
{
    /// <summary>Gives back the logits.</summary>
    /// <param name="logits">N×classes.</param>
    /// <param name="image">What to call the i-th image.</param>
    /// <exception cref="InputException">Some are not finite.</exception>
    public static torch.Tensor Require(torch.Tensor logits, Func<int, string> image)
    {
        using var scope = torch.NewDisposeScope();
        var finite = logits.isfinite().all(1).cpu();
        if (finite.all().ReadBoolean())
        {
            return logits;
        }

        var first = Array.IndexOf(finite.data<bool>().ToArray(), false);
        throw new InputException(
            $"The network gives no finite numbers (NaN or infinity) for {image(first)}: its weights are damaged or training diverged, so take an earlier checkpoint, or train with a lower training.learning-rate.");
    }
}
