using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Subnets;

namespace WeakLink.Recipes;

/// <summary>From the names in a recipe's <c>augmentation.sequence</c> to what they do.</summary>
public static class AugmentationSequence
{
    internal const string Crop = "crop";
    internal const string Flip = "flip";
    private const string ResizedCrop = "random-resized-crop";
    private const string Augmix = "augmix";
    private const string Randaugment = "randaugment";
    private const string Pattern = "patterns";

    private static readonly string[] OfBatches = ["mixup", "cutmix"];
    private static readonly string[] Framing = [Crop, Flip, ResizedCrop];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Crop, Flip, ResizedCrop, "autoaugment-cifar10", "autoaugment-imagenet", "autoaugment-svhn", Randaugment, "trivialaugment", Augmix, "cutout", "random-erasing", Pattern, .. OfBatches];

    /// <summary>What a training step sees of an image.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="height">Height of the training images.</param>
    /// <param name="width">Width of the training images.</param>
    /// <exception cref="InputException">The recipe asks for the impossible.</exception>
    public static IViews Views(Recipe recipe, int height, int width)
    {
        RecipeCheck.Check(recipe);
        var settings = recipe.Augmentation;
        (height, width) = settings.Crop > 0 ? (settings.Crop, settings.Crop) : (height, width);
        IReadOnlyList<string> names = [.. settings.Sequence.Except(OfBatches)];
        // The same window of the image, mirrored alike, where that comes first.
        var shared = names.TakeWhile(Framing.Contains).Count();
        return new AugmentedViews(height, width, Sequence(names), recipe.Objective.Kind == ObjectiveKind.Consistency, OfSubnet());

        Branch? OfSubnet() => recipe.Ews.View switch
        {
            _ when recipe.Ews.Search == SearchKind.Off => null,
            SubnetView.Crop => new Branch(0, Sequence(names)),
            SubnetView.Augmix => Framed(Augmix),
            SubnetView.Randaugment => Framed(Randaugment),
            SubnetView.Corrupted => Framed(Pattern),
            _ => null,
        };

        Branch Framed(string name) => new(shared, Sequence([.. names.Where(Framing.Contains).Skip(shared), name]));

        IReadOnlyList<Augmentation> Sequence(IEnumerable<string> chosen) => [.. chosen.Select(name => Named(name, settings, height, width))];
    }

    /// <summary>How the images of a batch are mixed; empty where they are not.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="classes">Number of classes.</param>
    public static IReadOnlyList<BatchMixing> Mixings(Recipe recipe, int classes) =>
    [
        .. recipe.Augmentation.Sequence.Intersect(OfBatches).Select(name => (BatchMixing)(name == "mixup"
            ? new Mixup(recipe.Augmentation.MixupAlpha, classes)
            : new CutMix(recipe.Augmentation.CutmixAlpha, classes))),
    ];

    /// <exception cref="InputException">A name is unknown or in a place where it can't work.</exception>
    internal static void Check(Recipe recipe, Func<string, string?> origin)
    {
        const string Key = "augmentation.sequence";
        var sequence = recipe.Augmentation.Sequence;
        if (sequence.FirstOrDefault(name => !Names.Contains(name)) is { } stranger)
        {
            throw Wrong($"{Key} names '{stranger}', which is no augmentation; did you mean '{Nearest.To(stranger, Names)}'? All: {string.Join(", ", Names)}.");
        }

        if (sequence.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Wrong($"{Key} names '{twice.Key}' twice: leave one out.");
        }

        if (sequence.SkipWhile(name => !OfBatches.Contains(name)).FirstOrDefault(name => !OfBatches.Contains(name)) is { } late)
        {
            throw Wrong($"{Key} has '{late}' after mixup or cutmix, which mix whole batches: put these last.");
        }

        if (sequence.Contains(Crop) && sequence.Contains(ResizedCrop))
        {
            throw Wrong($"{Key} has both '{Crop}' and '{ResizedCrop}': keep one.");
        }

        if (recipe.Augmentation.Crop > 0 && !sequence.Contains(Crop) && !sequence.Contains(ResizedCrop))
        {
            throw Wrong($"augmentation.crop is {recipe.Augmentation.Crop}, but {Key} has neither '{Crop}' nor '{ResizedCrop}': add one, or set augmentation.crop to 0.");
        }

        if (recipe.Objective.Kind == ObjectiveKind.Consistency && !sequence.Contains(Augmix))
        {
            throw Keys.Wrong($"objective.kind is consistency, which compares AugMix's mixtures of an image, but {Key} has no '{Augmix}': add it.", origin("objective.kind"));
        }

        InputException Wrong(string sentence) => Keys.Wrong(sentence, origin(Key));
    }

    private static Augmentation Named(string name, AugmentationRecipe settings, int height, int width) => name switch
    {
        Crop => new RandomCrop(height, width, settings.Padding),
        Flip => new RandomFlip(),
        ResizedCrop => new RandomResizedCrop(height, width, settings.ResizedCropArea),
        "autoaugment-cifar10" => new AutoAugment(AutoAugmentPolicy.Cifar10),
        "autoaugment-imagenet" => new AutoAugment(AutoAugmentPolicy.ImageNet),
        "autoaugment-svhn" => new AutoAugment(AutoAugmentPolicy.Svhn),
        Randaugment => new RandAugment(settings.RandaugmentOperations, settings.RandaugmentMagnitude),
        "trivialaugment" => new TrivialAugment(),
        Augmix => new AugMix(settings.AugmixWidth, settings.AugmixDepth, settings.AugmixSeverity, settings.AugmixCoefficient, settings.AugmixAllOperators),
        "cutout" => new Cutout(settings.CutoutSize),
        Pattern => new Patterns(),
        "random-erasing" => new RandomErasing(settings.ErasingProbability),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Unknown augmentation."),
    };
}
