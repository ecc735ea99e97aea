using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Processes;
using WeakLink.Runtime;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Recipes;

/// <summary>From a recipe to what it names, and to a recipe in which nothing is left to this machine or these data.</summary>
public static class RecipeResolution
{
    // Enough work for a timing, little enough to take a second.
    private const int TrialImages = 64;

    // Of every published network of the usual width: 256 MB.
    private const long UsualParameters = 64_000_000;

    /// <summary>Replaces every value that means "decide for me": image size, normalisation, threads, precision and layout (which a timing decides, on the threads that libtorch has; it is kept in the cache).</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="data">The images.</param>
    /// <param name="environment">The machine.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="observer">Told of a format that was chosen before.</param>
    /// <exception cref="InputException">A value is out of its limits.</exception>
    public static Recipe Resolve(Recipe recipe, DataSplits data, EnvironmentReport environment, torch.Device device, IRunObserver observer)
    {
        RecipeCheck.Check(recipe);
        var model = recipe.Model;
        if (model.Mean.Count == 0)
        {
            var (mean, deviation) = Pixels.KeptStatistics(data.Train, recipe.Data.Filter);
            model = model with { Mean = mean, StandardDeviation = deviation };
        }

        var threads = recipe.Training.Threads > 0 ? recipe.Training.Threads : environment.Threads;
        var size = data.Train.Width == data.Train.Height ? data.Train.Width : 0;
        var source = AbsoluteSource(recipe.Data.Source);
        var extra = recipe.Data.Extra.Select(Path.GetFullPath).ToArray();
        var resolved = recipe with { Model = model, Data = recipe.Data with { Source = source, Size = size, Extra = extra }, Evaluation = recipe.Evaluation.WithAbsoluteFolders() };
        var crop = recipe.Augmentation.Crop;
        var format = FormatChoice.Of(
            FormatChoice.Folder,
            FormattableString.Invariant($"{recipe.Model.Name} of width {recipe.Model.WidthMultiplier}, dropout {recipe.Model.Dropout}"),
            environment,
            observer,
            () => resolved.CreateNetwork(data.Train.Classes.Count),
            recipe.Training.Precision,
            recipe.Training.Layout,
            environment.NativeBf16 || device.type == DeviceType.CUDA,
            Math.Min(recipe.Training.Batch, TrialImages),
            crop > 0 ? crop : data.Train.Height,
            crop > 0 ? crop : data.Train.Width,
            device);
        return resolved with
        {
            Training = recipe.Training with { Threads = threads, Precision = format.Precision, Layout = format.Layout },
            Objective = recipe.Objective.WithStepSize(),
        };
    }

    /// <summary>Where the data are, so that a run can be resumed from another folder; a name stays one.</summary>
    internal static string AbsoluteSource(string source) => Path.Exists(source) ? Path.GetFullPath(source) : source;

    /// <summary>The same, wherever its folders are read from.</summary>
    internal static EvaluationRecipe WithAbsoluteFolders(this EvaluationRecipe recipe) => recipe with
    {
        CorruptedImages = AbsoluteSource(recipe.CorruptedImages),
        PerturbedImages = AbsoluteSource(recipe.PerturbedImages),
        FrostTextures = AbsoluteSource(recipe.FrostTextures),
    };

    /// <summary>The recipe's network, with random weights.</summary>
    /// <exception cref="InputException">There is no such network.</exception>
    public static ClassifierNetwork CreateNetwork(this Recipe recipe, int classes) => NetworkCatalogue.Create(
        recipe.Model.Name, classes, recipe.Model.Mean, recipe.Model.StandardDeviation, recipe.Seed, recipe.Model.WidthMultiplier, recipe.Model.Dropout);

    /// <summary>The recipe's network for the weights of a file, which may ask for any.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="numbers">How many numbers the file holds.</param>
    /// <param name="path">The file.</param>
    /// <param name="explains">Whether a network of a usual size is created though the file can't fill it: its list of differences says more.</param>
    /// <exception cref="InputException">There is no such network, or it is larger than the file.</exception>
    public static ClassifierNetwork CreateNetworkFor(this Recipe recipe, int classes, long numbers, string path, bool explains = false)
    {
        var least = NetworkCatalogue.LeastParameters(recipe.Model.Name, recipe.Model.WidthMultiplier, classes);
        return least <= Math.Max(explains ? UsualParameters : 0, numbers)
            ? recipe.CreateNetwork(classes)
            : throw new InputException($"The checkpoint '{path}' is of another architecture than {recipe.Model.Name} with {classes} classes: it holds {numbers:N0} numbers, the network more than {least:N0}. Use another checkpoint, or the settings that it was trained with.");
    }

    /// <summary>What the recipe lets the full network minimise.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="classWeights">How much the cross-entropy of an image of each class counts; null: all alike.</param>
    /// <param name="processes">Those that have the other images of a batch; null: this one has all.</param>
    public static IObjective Create(this ObjectiveRecipe recipe, IReadOnlyList<double>? classWeights = null, ProcessGroup? processes = null) => recipe.Kind switch
    {
        ObjectiveKind.CrossEntropy => new CrossEntropy(recipe.LabelSmoothing, classWeights, processes),
        ObjectiveKind.Consistency => new Consistency(recipe.ConsistencyWeight, recipe.LabelSmoothing, classWeights, processes),
        ObjectiveKind.Pgd => new AdversarialTraining(recipe.InnerAttack(), recipe.LabelSmoothing, classWeights, processes),
        ObjectiveKind.Fgsm => new AdversarialTraining(recipe.InnerAttack(), recipe.LabelSmoothing, classWeights, processes),
        ObjectiveKind.Trades => new Trades(recipe.InnerAttack(), recipe.Beta, recipe.LabelSmoothing, classWeights, processes),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Kind, "Unknown objective."),
    };

    /// <summary>Whether an objective trains on adversarial examples.</summary>
    public static bool IsAdversarial(this ObjectiveKind kind) => kind is ObjectiveKind.Pgd or ObjectiveKind.Fgsm or ObjectiveKind.Trades;

    /// <summary>Whether a step attacks: its full network, or the subnet that it teaches.</summary>
    internal static bool Attacks(this Recipe recipe) =>
        recipe.Objective.Kind.IsAdversarial() || recipe.Ews is { View: SubnetView.Adversarial, Search: not SearchKind.Off };

    /// <summary>What an adversarial objective defends against.</summary>
    /// <exception cref="InputException">The size is not a number.</exception>
    public static ThreatModel Threat(this ObjectiveRecipe recipe) => new(recipe.Norm, ThreatModel.ParseEpsilon(recipe.Eps));

    /// <summary>The same with a step size instead of <c>auto</c>.</summary>
    internal static ObjectiveRecipe WithStepSize(this ObjectiveRecipe recipe) =>
        recipe.StepSize == ObjectiveRecipe.Auto ? recipe with { StepSize = ThreatModel.SizeText(recipe.InnerAttack().StepSize) } : recipe;

    /// <summary>The attack inside of an adversarial objective's step.</summary>
    /// <exception cref="InputException">A size is not a number.</exception>
    public static InnerAttack InnerAttack(this ObjectiveRecipe recipe)
    {
        var threat = recipe.Threat();
        var steps = recipe.Kind == ObjectiveKind.Fgsm ? 1 : recipe.Steps;
        // Gives the published 2/255 for ten steps of 8/255 (Madry et al. 2018) and 10/255 for one (Wong et al. 2020).
        var step = recipe.StepSize == ObjectiveRecipe.Auto ? Math.Min(2.5 / steps, 1.25) * threat.Epsilon : ThreatModel.ParseEpsilon(recipe.StepSize);
        return new InnerAttack(threat, steps, step, recipe.AttackMode == AttackMode.Published ? recipe.Kind != ObjectiveKind.Trades : recipe.AttackMode == AttackMode.Training);
    }

    /// <summary>Who proposes the subnets to teach; null where none are taught.</summary>
    public static ISubnetSearch? CreateSearch(this EwsRecipe recipe, SubnetSpace space, long seed) => recipe.Search switch
    {
        SearchKind.Off => null,
        SearchKind.Random => new RandomSearch(space, recipe.Width),
        SearchKind.Saliency => new SaliencySearch(space, recipe.Width),
        SearchKind.Policy => new PolicySearch(space, recipe, seed),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Search, "Unknown search."),
    };
}
