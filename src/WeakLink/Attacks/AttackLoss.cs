using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>What an attack maximises, for each image.</summary>
public static class AttackLoss
{
    // Keeps quotients of logits finite; as in the authors' code.
    private const double Tiny = 1e-12;

    /// <summary>Cross-entropy.</summary>
    /// <param name="logits">N×classes.</param>
    /// <param name="labels">N class indices.</param>
    public static torch.Tensor CrossEntropy(torch.Tensor logits, torch.Tensor labels) =>
        torch.nn.functional.cross_entropy(logits, labels, reduction: torch.nn.Reduction.None);

    /// <summary>
    /// Difference of logits ratio: −(z_y − max_{i≠y} z_i) / (z_π1 − z_π3), which no scaling of the logits changes (Croce and Hein 2020,
    /// equation 6).
    /// </summary>
    /// <inheritdoc cref="CrossEntropy"/>
    public static torch.Tensor Dlr(torch.Tensor logits, torch.Tensor labels)
    {
        using var scope = torch.NewDisposeScope();
        var best = logits.topk(3).values;
        var right = Of(logits, labels);
        var other = torch.where(logits.argmax(1).eq(labels), best.select(1, 1), best.select(1, 0));
        return (-(right - other) / (best.select(1, 0) - best.select(1, 2)).Plus(Tiny)).MoveToOuterDisposeScope();
    }

    /// <summary>Targeted DLR: −(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2) (Croce and Hein 2020, equation 7).</summary>
    /// <param name="logits">N×classes, at least four.</param>
    /// <param name="labels">N class indices.</param>
    /// <param name="targets">N class indices to reach.</param>
    public static torch.Tensor TargetedDlr(torch.Tensor logits, torch.Tensor labels, torch.Tensor targets)
    {
        using var scope = torch.NewDisposeScope();
        var best = logits.topk(4).values;
        return (-(Of(logits, labels) - Of(logits, targets)) / (best.select(1, 0) - (best.select(1, 2).Plus(best.select(1, 3)) * Kept(0.5))).Plus(Tiny)).MoveToOuterDisposeScope();
    }

    /// <summary>z_y − max_{i≠y} z_i: below 0 where the model fails.</summary>
    /// <inheritdoc cref="CrossEntropy"/>
    public static torch.Tensor Margin(torch.Tensor logits, torch.Tensor labels)
    {
        using var scope = torch.NewDisposeScope();
        return (Of(logits, labels) - Others(logits, labels).amax([1])).MoveToOuterDisposeScope();
    }

    /// <summary>The classes that a targeted attack aims at: the likeliest wrong ones, best first.</summary>
    /// <returns>N×count class indices.</returns>
    public static torch.Tensor Targets(torch.Tensor logits, torch.Tensor labels, int count)
    {
        using var scope = torch.NewDisposeScope();
        return Others(logits, labels).topk(count).indexes.MoveToOuterDisposeScope();
    }

    /// <summary>One logit of each image.</summary>
    internal static torch.Tensor Of(torch.Tensor logits, torch.Tensor classes) => logits.gather(1, classes.unsqueeze(1)).squeeze(1);

    /// <exception cref="InputException">There are fewer classes.</exception>
    internal static void RequireClasses(int classes, int least, string attack)
    {
        if (classes < least)
        {
            throw new InputException($"The attack {attack} needs at least {least} classes, the model has {classes}: use apgd-ce, fab or square (autoattack includes apgd-t and fab-t).");
        }
    }

    // Minus infinity where the label is.
    private static torch.Tensor Others(torch.Tensor logits, torch.Tensor labels) =>
        logits.masked_fill(torch.nn.functional.one_hot(labels, logits.shape[1]).to(torch.@bool), Kept(double.NegativeInfinity));
}
