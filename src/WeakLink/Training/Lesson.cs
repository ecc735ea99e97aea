using TorchSharp;
using WeakLink.Objectives;
using WeakLink.Recipes;
using WeakLink.Subnets;

namespace WeakLink.Training;

/// <summary>What the subnet of a step is taught on: which view of how many of the batch's images.</summary>
/// <remarks>
/// With every view but <see cref="SubnetView.Same"/> the divergence is KL(softmax f(x) ‖ softmax α(x')): x is the calmest view that the full network saw
/// (<see cref="IObjective.CalmView"/>: the clean one of <see cref="Consistency"/> and <see cref="Trades"/>, the adversarial example of
/// <see cref="AdversarialTraining"/>, which sees no other), x' the subnet's one view, which no objective attacks.
/// </remarks>
/// <param name="View">What the subnet sees.</param>
/// <param name="Fraction">Part of the batch, in (0, 1].</param>
/// <param name="Attack">What makes an adversarial view; null with the others.</param>
public sealed record Lesson(SubnetView View = SubnetView.Same, double Fraction = 1, InnerAttack? Attack = null)
{
    // Batch norm of a single image's last layer would have no variance.
    private const int FewestImages = 2;

    /// <summary>The lesson of a recipe's steps.</summary>
    public static Lesson Of(Recipe recipe) => recipe.Ews.Search == SearchKind.Off
        ? new Lesson()
        : new Lesson(recipe.Ews.View, recipe.Ews.Fraction, recipe.Ews.View == SubnetView.Adversarial ? recipe.Objective.InnerAttack() : null);

    /// <summary>What the full network trains on of the views that were loaded: the subnet's own comes last.</summary>
    internal IReadOnlyList<torch.Tensor> OfFullNetwork(torch.Tensor[] loaded) => View.IsLoaded() ? loaded[..^1] : loaded;

    /// <summary>Teaches a subnet what the full network said.</summary>
    /// <param name="ews">Proposes the subnet, and adds to the gradients.</param>
    /// <param name="objective">What the full network was trained by.</param>
    /// <param name="loaded">The views that were loaded.</param>
    /// <param name="views">The views that the full network saw.</param>
    /// <param name="teacher">Its logits for them, detached.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="step">The training step, from 0.</param>
    /// <param name="draws">The draws of this step for a use.</param>
    internal StudentResult Teach(
        EnhanceWeakSubnets ews,
        IObjective objective,
        IReadOnlyList<torch.Tensor> loaded,
        IReadOnlyList<torch.Tensor> views,
        IReadOnlyList<torch.Tensor> teacher,
        torch.Tensor labels,
        long step,
        Func<RandomUse, SeededRandom> draws)
    {
        using var scope = torch.NewDisposeScope();
        (views, teacher) = View switch
        {
            SubnetView.Same => (views, teacher),
            // Around the image: around an adversarial example of the full network the subnet would meet up to twice the perturbation.
            SubnetView.Adversarial => ([loaded[0]], [teacher[objective.CalmView]]),
            _ => ([loaded[^1]], [teacher[objective.CalmView]]),
        };
        if (Fraction < 1)
        {
            var part = Part((int)labels.shape[0], draws(RandomUse.Lesson)).to(labels.device);
            (views, teacher, labels) = ([.. views.Select(Taken)], [.. teacher.Select(Taken)], Taken(labels));
            torch.Tensor Taken(torch.Tensor all) => all.index_select(0, part);
        }

        return ews.TeachSubnet(Run, views, teacher, labels, step, draws(RandomUse.Proposal));

        IReadOnlyList<torch.Tensor> Run(Func<torch.Tensor, torch.Tensor> subnet, IReadOnlyList<torch.Tensor> seen) =>
            objective.Run(subnet, Attack is null ? seen : [Attack.Mislead(subnet, seen[0], teacher[0], draws(RandomUse.SubnetAttack))]);
    }

    // Not the first ones: extra images come last in a batch.
    private torch.Tensor Part(int images, SeededRandom random)
    {
        var order = Enumerable.Range(0, images).Select(image => (long)image).ToArray();
        random.Shuffle<long>(order);
        return torch.tensor(order[..Math.Max(Math.Min(FewestImages, images), (int)Math.Ceiling((Fraction * images) - 1e-9))]);
    }
}
