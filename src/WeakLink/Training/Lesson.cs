using TorchSharp;
using WeakLink.Data;
using WeakLink.Objectives;
using WeakLink.Recipes;
using WeakLink.Subnets;

namespace WeakLink.Training;

/// <summary>When a subnet is taught, on which view of how many of the batch's images, and by whom.</summary>
/// <remarks>
/// With every view but <see cref="SubnetView.Same"/> the divergence is KL(softmax f(x) ‖ softmax α(x')): x is the calmest view that the full network saw
/// (<see cref="IObjective.CalmView"/>: the clean one of <see cref="Consistency"/> and <see cref="Trades"/>, the adversarial example of
/// <see cref="AdversarialTraining"/>, which sees no other), x' the subnet's one view, which no objective attacks.
/// </remarks>
/// <param name="View">What the subnet sees.</param>
/// <param name="Fraction">Part of the batch, in (0, 1].</param>
/// <param name="Attack">What makes an adversarial view; null with the others.</param>
/// <param name="Teacher">Whose answers it is taught, with the batch's statistics; null: those that the full network gave in the step.</param>
/// <param name="Every">Steps from one that teaches to the next.</param>
/// <param name="Start">The first step of the run that teaches.</param>
/// <param name="Ramp">Steps from there on in which λ rises from 0.</param>
public sealed record Lesson(
    SubnetView View = SubnetView.Same, double Fraction = 1, InnerAttack? Attack = null, WeightAverage? Teacher = null, int Every = 1, long Start = 0, long Ramp = 0)
{
    // Batch norm of a single image's last layer would have no variance.
    private const int FewestImages = 2;

    /// <summary>The lessons of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <param name="average">The average of the weights that the run keeps.</param>
    public static Lesson Of(Recipe recipe, int stepsPerEpoch, WeightAverage? average) => recipe.Ews is var ews && ews.Search == SearchKind.Off
        ? new Lesson()
        : new Lesson(
            ews.View,
            ews.Fraction,
            ews.View == SubnetView.Adversarial ? recipe.Objective.InnerAttack() : null,
            ews.Teacher == TeacherKind.Average ? average : null,
            ews.Every,
            recipe.Training.StepAfter(ews.Start, stepsPerEpoch),
            recipe.Training.StepAfter(ews.Warmup, stepsPerEpoch));

    /// <summary>Whether a step teaches a subnet.</summary>
    internal bool Teaches(long step) => step >= Start && (step - Start) % Every == 0;

    /// <summary>How many subnets were taught before a step.</summary>
    internal long Number(long step) => (step - Start) / Every;

    /// <summary>What the full network trains on of the views that were loaded: the subnet's own comes last.</summary>
    internal IReadOnlyList<torch.Tensor> OfFullNetwork(torch.Tensor[] loaded) => View.IsLoaded() ? loaded[..^1] : loaded;

    /// <summary>Teaches a subnet.</summary>
    /// <param name="ews">Proposes the subnet, and adds to the gradients.</param>
    /// <param name="network">The full network.</param>
    /// <param name="objective">What it was trained by.</param>
    /// <param name="loaded">The views that were loaded.</param>
    /// <param name="views">The views that the full network saw.</param>
    /// <param name="said">Its logits for them, detached.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="step">The training step, from 0.</param>
    /// <param name="share">Which images of the step's batch these are.</param>
    /// <param name="draws">The draws of this step for a use.</param>
    internal StudentResult Teach(
        EnhanceWeakSubnets ews,
        Func<torch.Tensor, torch.Tensor> network,
        IObjective objective,
        IReadOnlyList<torch.Tensor> loaded,
        IReadOnlyList<torch.Tensor> views,
        IReadOnlyList<torch.Tensor> said,
        torch.Tensor labels,
        long step,
        BatchShare share,
        Func<RandomUse, SeededRandom> draws)
    {
        using var scope = torch.NewDisposeScope();
        var (calm, teacher) = View == SubnetView.Same ? (views, said) : ([views[objective.CalmView]], [said[objective.CalmView]]);
        // An attack begins at the image: around an adversarial example of the full network the subnet would meet up to twice the perturbation.
        var seen = View.IsLoaded() ? [loaded[^1]] : View == SubnetView.Adversarial ? [loaded[0]] : calm;
        if (Fraction < 1)
        {
            (share, var own) = Part(share, draws(RandomUse.Lesson));
            var part = own.to(labels.device);
            (calm, teacher, seen, labels) = (Taken(calm), Taken(teacher), Taken(seen), labels.index_select(0, part));
            IReadOnlyList<torch.Tensor> Taken(IReadOnlyList<torch.Tensor> all) => [.. all.Select(one => one.index_select(0, part))];
        }

        if (Teacher is not null)
        {
            using var noGradients = torch.no_grad();
            using var average = Teacher.Applied();
            teacher = objective.Run(network, calm);
        }

        // λ of a step is that of its middle, as the learning rate is.
        return ews.TeachSubnet(Run, seen, teacher, labels, step, draws(RandomUse.Proposal), Ramp == 0 ? 1 : Math.Min(1, (step - Start + 0.5) / Ramp), share);

        IReadOnlyList<torch.Tensor> Run(Func<torch.Tensor, torch.Tensor> subnet, IReadOnlyList<torch.Tensor> images) =>
            objective.Run(subnet, Attack is null ? images : [Attack.Mislead(subnet, images[0], teacher[0], share, draws(RandomUse.SubnetAttack))]);
    }

    /// <summary>The order in which a subnet is taught on a batch's images, as far as it is.</summary>
    /// <param name="images">Images in the batch.</param>
    /// <param name="random">The draws of the step.</param>
    internal int[] Order(int images, SeededRandom random)
    {
        int[] order = [.. Enumerable.Range(0, images)];
        if (Fraction < 1)
        {
            // Not the first ones: extra images come last in a batch.
            random.Shuffle<int>(order);
        }

        return order;
    }

    /// <summary>How many images of a batch a subnet is taught on.</summary>
    internal int Images(int batch) => Math.Max(Math.Min(FewestImages, batch), (int)Math.Ceiling((Fraction * batch) - 1e-9));

    // Those of a share that a subnet is taught on: which of all the images that it is, and where in the share they are.
    private (BatchShare Part, torch.Tensor Places) Part(BatchShare share, SeededRandom random)
    {
        var taught = Order(share.Whole, random)[..Images(share.Whole)];
        var places = share.Positions.Index().ToDictionary(own => own.Item, own => own.Index);
        var own = taught.Index().Where(image => places.ContainsKey(image.Item)).ToList();
        return (new BatchShare([.. own.Select(image => image.Index)], taught.Length), torch.tensor(own.Select(image => (long)places[image.Item]).ToArray()));
    }
}
