using TorchSharp;
using WeakLink.Attacks;

namespace WeakLink.Evaluation;

/// <summary>Reasons to doubt a robust accuracy, in sentences.</summary>
internal static class AttackDoubts
{
    /// <summary>Images that are enough to look at.</summary>
    public const int MostImages = 128;

    // AutoAttack's own threshold for its warning about square (flags_doc.md).
    private const double Surprising = 0.002;
    private const int Repeats = 4;

    /// <summary>What a model does that attacks can't work with: answers at random, probabilities for logits, no gradients.</summary>
    /// <param name="model">The model.</param>
    /// <param name="x">Images that it classifies correctly, N×3×H×W in [0, 1].</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="attacks">What it is to be attacked with.</param>
    public static List<string> OfModel(AttackedModel model, torch.Tensor x, torch.Tensor labels, IReadOnlyList<Attack> attacks)
    {
        using var scope = torch.NewDisposeScope();
        var doubts = new List<string>();
        var logits = model.Logits(x);
        // Relative to the logits' size, as in AutoAttack's own check: large logits differ more by rounding.
        var differs = Enumerable.Range(1, Repeats).Any(_ => ((model.Logits(x) - logits).norm(1) / logits.norm(1).Plus(1e-10)).max().ReadSingle() > 1e-4);
        if (differs && attacks.All(attack => attack is not AutoPgd { Averages: true }))
        {
            doubts.Add("The model answers differently each time: use autoattack-rand, which averages gradients.");
        }

        if (logits.min().ReadSingle() >= 0 && (logits.sum(1) - Kept(1)).abs().max().ReadSingle() < 1e-4)
        {
            doubts.Add("The model returns probabilities, not logits, which hides gradients: take the softmax out.");
        }

        var zero = model.Gradient(x, z => AttackLoss.CrossEntropy(z, labels)).Gradient.flatten(1).abs().amax([1]).eq(Kept(0)).sum().ReadInt64();
        if (zero > 0.01 * x.shape[0])
        {
            doubts.Add($"The gradient of the loss is exactly 0 for {zero} of {x.shape[0]} images: attacks that follow it can't work, and the robust accuracy may be too high.");
        }

        return doubts;
    }

    /// <summary>What the attacks themselves say: that one without gradients found what those with gradients had not.</summary>
    /// <param name="attacks">The attacks.</param>
    /// <param name="stages">What each did.</param>
    /// <param name="images">Images measured.</param>
    public static IEnumerable<string> OfStages(IReadOnlyList<Attack> attacks, IReadOnlyList<AttackStage> stages, int images) =>
        from i in Enumerable.Range(1, attacks.Count - 1)
        where !attacks[i].UsesGradients && attacks.Take(i).Any(attack => attack.UsesGradients) && stages[i].Broken > Surprising * images
        select $"{stages[i].Attack}, which uses no gradients, broke {stages[i].Broken} images that the attacks with gradients left: the model may hide its gradients, and be weaker than this number says. Try autoattack-plus.";
}
