using System.Text.Json.Serialization;
using TorchSharp;
using WeakLink.Attacks;

namespace WeakLink.Evaluation;

/// <summary>What one attack of an ensemble did.</summary>
/// <param name="Attack">Its name.</param>
/// <param name="Attacked">Images that it was given.</param>
/// <param name="Broken">Images for which it found an adversarial example.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="Forwards">Forward passes, in images.</param>
/// <param name="Backwards">Backward passes, in images.</param>
public sealed record AttackStage(string Attack, int Attacked, int Broken, double Seconds, long Forwards, long Backwards);

/// <summary>Accuracy under attack.</summary>
/// <param name="Eps">The largest perturbation, in units of [0, 1].</param>
/// <param name="Images">Images measured.</param>
/// <param name="Clean">Accuracy on them without an attack.</param>
/// <param name="Accuracy">Robust accuracy: the share that no attack broke.</param>
/// <param name="Seed">Seed of the attacks.</param>
/// <param name="Stages">Attack by attack, each on what the ones before left.</param>
/// <param name="ByClass">Clean and robust accuracy of each class that has images.</param>
/// <param name="Warnings">Reasons to doubt the robust accuracy.</param>
public sealed record RobustSummary(
    [property: Limits(ThreatModel.LeastEpsilon, double.MaxValue)] double Eps,
    [property: Limits(0, int.MaxValue)] int Images,
    [property: Limits(0, 1)] double Clean,
    [property: Limits(0, 1)] double Accuracy,
    long Seed,
    IReadOnlyList<AttackStage> Stages,
    IReadOnlyDictionary<string, ClassSummary> ByClass,
    IReadOnlyList<string> Warnings)
{
    /// <summary>Images that an attack broke.</summary>
    [JsonIgnore]
    public int Broken => Stages.Sum(stage => stage.Broken);

    /// <summary>95 % interval of the robust accuracy; null where nothing was measured.</summary>
    public WilsonInterval? Interval => Images > 0 ? WilsonInterval.Of(Accuracy, Images) : null;
}

/// <summary>Accuracy of one class.</summary>
public sealed record ClassSummary([property: Limits(0, 1)] double Clean, [property: Limits(0, 1)] double Robust);

/// <summary>An image and what an attack made of it.</summary>
/// <param name="Index">Its index in the data set.</param>
/// <param name="Image">3×H×W in [0, 1].</param>
/// <param name="Adversarial">3×H×W in [0, 1].</param>
/// <param name="Predicted">The class that the model takes it for, a wrong one.</param>
/// <param name="Attack">Who found it.</param>
public sealed record AdversarialExample(int Index, torch.Tensor Image, torch.Tensor Adversarial, int Predicted, string Attack);
