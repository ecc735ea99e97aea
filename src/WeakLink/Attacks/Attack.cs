using System.IO.Hashing;
using System.Text;
using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>Looks for a perturbation of each image, within a threat model, that makes a model fail.</summary>
/// <param name="name">As in AutoAttack's reports: lower case, hyphens.</param>
/// <param name="threat">What the attacker may do.</param>
public abstract class Attack(string name, ThreatModel threat)
{
    private readonly long _draws = unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name)));

    /// <summary>Such as pgd or apgd-ce.</summary>
    public string Name => name;

    /// <summary>What the attacker may do.</summary>
    public ThreatModel Threat => threat;

    /// <summary>Whether it uses the model's gradient.</summary>
    public virtual bool UsesGradients => true;

    /// <summary>Attacks.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="images">N×3×H×W in [0, 1], float32, at least one.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="indices">A number for each image: with the seed it decides the draws, whatever batch the image is in.</param>
    /// <param name="stop">Stops between two iterations.</param>
    /// <returns>For each image one that the model gets wrong, or else the attack's best try; always within the threat model.</returns>
    /// <exception cref="InputException">Images are outside of [0, 1], or the model has too few classes.</exception>
    public torch.Tensor Perturb(AttackedModel model, torch.Tensor images, torch.Tensor labels, long seed, IReadOnlyList<long> indices, CancellationToken stop = default)
    {
        AttackedModel.Check(images);
        using var scope = torch.NewDisposeScope();
        var draws = new AttackDraws(seed, _draws, indices);
        return Search(model, images, labels, draws, stop).MoveToOuterDisposeScope();
    }

    /// <summary>The attack itself; gradients are off, tensors that it leaves behind are disposed of.</summary>
    protected abstract torch.Tensor Search(AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop);
}
