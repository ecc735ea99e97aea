using System.IO.Hashing;
using System.Text;
using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Attacks;

/// <summary>Looks for a perturbation of each image, within a threat model, that makes a model fail.</summary>
/// <param name="name">As in AutoAttack's reports: lower case, hyphens.</param>
/// <param name="threat">What the attacker may do.</param>
public abstract class Attack(string name, ThreatModel threat)
{
    // Of sums over thousands of float32 numbers.
    private const double Rounding = 1e-5;
    private readonly long _draws = unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name)));

    /// <summary>Such as pgd or apgd-ce.</summary>
    public string Name => name;

    /// <summary>What the attacker may do.</summary>
    public ThreatModel Threat => threat;

    /// <summary>Whether it uses the model's gradient.</summary>
    public virtual bool UsesGradients => true;

    /// <summary>Steps and the like: what, with the name, tells which attack it is. The kept progress of an evaluation goes on only where they are the same.</summary>
    public virtual string Settings => "";

    /// <summary>How many attempts the attack consists of (restarts, target classes): images that one breaks are spared the next.</summary>
    /// <param name="classes">Classes of the model.</param>
    /// <exception cref="InputException">The model has too few classes.</exception>
    public abstract int Attempts(int classes);

    /// <summary>Forward passes that an attempt takes of an image, about and at most, a gradient counted as three; 0 where it is not known.</summary>
    /// <param name="classes">Classes of the model.</param>
    public virtual int Passes(int classes) => 0;

    /// <summary>Attacks: every attempt, each on the images that the ones before it left.</summary>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="images">N×3×H×W in [0, 1], float32, at least one.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="identities">A number for each image, its own in its source (<c>Dataset.Identity</c>): with the seed it decides the draws, whatever batch or part the image is in.</param>
    /// <param name="stop">Stops between two iterations.</param>
    /// <returns>For each image one that the model gets wrong (itself, where it is wrong already), or else the try that left the smallest margin; always within the threat model.</returns>
    /// <exception cref="InputException">Images are outside of [0, 1], or the model has too few classes, or gives an image no finite numbers.</exception>
    /// <exception cref="ArgumentException">Images, labels and identities do not belong together, or a label is none of the model's classes.</exception>
    public torch.Tensor Perturb(AttackedModel model, torch.Tensor images, torch.Tensor labels, long seed, IReadOnlyList<long> identities, CancellationToken stop = default)
    {
        Check(images, labels, identities);
        using var scope = torch.NewDisposeScope();
        // NaN would be smaller than no margin: an image that nobody attacked would pass for one that the model gets wrong.
        var logits = FiniteLogits.Require(model.Logits(images), image => $"image {image} of those to attack");
        if (labels.max().ReadInt64() >= logits.shape[1])
        {
            throw new ArgumentException($"The model tells {logits.shape[1]} classes apart, but a label is {labels.max().ReadInt64()}.", nameof(labels));
        }

        var attempts = Attempts((int)logits.shape[1]);
        var result = images.clone();
        var margins = AttackLoss.Margin(logits, labels);
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            using var iteration = torch.NewDisposeScope();
            // A tie is not broken yet: the largest logit may still be taken to be the label's.
            var left = margins.ge(Kept(0)).nonzero().squeeze(1);
            if (left.shape[0] == 0)
            {
                break;
            }

            var (x, y) = (images.index_select(0, left), labels.index_select(0, left));
            var tried = Run(attempt, model, x, y, seed, [.. left.cpu().data<long>().ToArray().Select(position => identities[(int)position])], stop);
            var margin = AttackLoss.Margin(model.Logits(tried), y);
            var better = margin.lt(margins.index_select(0, left));
            result.index_copy_(0, left[better], tried[better]);
            margins.index_copy_(0, left[better], margin[better]);
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <summary>One of the attempts.</summary>
    /// <param name="attempt">0 ... Attempts − 1.</param>
    /// <param name="model">The model, in evaluation mode.</param>
    /// <param name="images">N×3×H×W in [0, 1], float32, at least one.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="identities">A number for each image, as for the whole attack.</param>
    /// <param name="stop">Stops between two iterations.</param>
    /// <returns>One image for each, within the threat model.</returns>
    /// <exception cref="InputException">Images are outside of [0, 1].</exception>
    /// <exception cref="ArgumentException">Images, labels and identities do not belong together.</exception>
    /// <exception cref="InvalidOperationException">The search left the threat model.</exception>
    public torch.Tensor Run(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, long seed, IReadOnlyList<long> identities, CancellationToken stop = default)
    {
        Check(images, labels, identities);
        using var scope = torch.NewDisposeScope();
        var tried = Search(attempt, model, images, labels, new AttackDraws(seed, unchecked(_draws + attempt), identities), stop);
        var largest = threat.Size(tried - images).max().ReadSingle();
        if (!(largest <= threat.Epsilon + (Rounding * Math.Max(1, threat.Epsilon)) && tried.min().ReadSingle() >= 0 && tried.max().ReadSingle() <= 1))
        {
            throw new InvalidOperationException(FormattableString.Invariant($"The attack {name} left the threat model {threat} or [0, 1]: it moved an image by {largest:g6}. A search ends with Threat.Project."));
        }

        return tried.MoveToOuterDisposeScope();
    }

    private void Check(torch.Tensor images, torch.Tensor labels, IReadOnlyList<long> identities)
    {
        if (images.dim() != 4 || images.dtype != torch.float32 || images.shape[0] == 0 || labels.dtype != torch.int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0] || identities.Count != images.shape[0])
        {
            throw new ArgumentException(
                $"An attack takes at least one image N×3×H×W (float32), N labels (int64) and N identities, not images of shape {string.Join('×', images.shape)} ({images.dtype}), labels of shape {string.Join('×', labels.shape)} ({labels.dtype}) and {identities.Count} identities.", nameof(images));
        }

        using var least = labels.min();
        if (least.ReadInt64() < 0)
        {
            throw new ArgumentException("A label is below 0.", nameof(labels));
        }

        AttackedModel.Check(images);
        threat.RequireLimit(images.numel() / images.shape[0]);
    }

    /// <summary>The attempt itself; tensors that it leaves behind are disposed of.</summary>
    /// <returns>One image for each, within <see cref="Threat"/> (see <see cref="ThreatModel.Project"/>): the best that was found.</returns>
    protected abstract torch.Tensor Search(
        int attempt, AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, CancellationToken stop);
}
