using static WeakLink.Augmentations.Operator;

namespace WeakLink.Augmentations;

/// <summary>Two operators of AutoAugment, one after the other.</summary>
/// <param name="First">The first operator.</param>
/// <param name="FirstProbability">How often it is applied.</param>
/// <param name="FirstLevel">Its strength, 0 ... 9.</param>
/// <param name="Second">The second operator.</param>
/// <param name="SecondProbability">How often it is applied.</param>
/// <param name="SecondLevel">Its strength, 0 ... 9.</param>
internal sealed record SubPolicy(Operator First, double FirstProbability, int FirstLevel, Operator Second, double SecondProbability, int SecondLevel)
{
    private const double StrongestLevel = 9;

    // The three tables of the appendix of Cubuk et al. 2019.
    private static readonly SubPolicy[] Cifar10 =
    [
        new(Invert, 0.1, 7, Contrast, 0.2, 6),
        new(Rotate, 0.7, 2, TranslateX, 0.3, 9),
        new(Sharpness, 0.8, 1, Sharpness, 0.9, 3),
        new(ShearY, 0.5, 8, TranslateY, 0.7, 9),
        new(AutoContrast, 0.5, 8, Equalize, 0.9, 2),
        new(ShearY, 0.2, 7, Posterize, 0.3, 7),
        new(Color, 0.4, 3, Brightness, 0.6, 7),
        new(Sharpness, 0.3, 9, Brightness, 0.7, 9),
        new(Equalize, 0.6, 5, Equalize, 0.5, 1),
        new(Contrast, 0.6, 7, Sharpness, 0.6, 5),
        new(Color, 0.7, 7, TranslateX, 0.5, 8),
        new(Equalize, 0.3, 7, AutoContrast, 0.4, 8),
        new(TranslateY, 0.4, 3, Sharpness, 0.2, 6),
        new(Brightness, 0.9, 6, Color, 0.2, 8),
        new(Solarize, 0.5, 2, Invert, 0.0, 3),
        new(Equalize, 0.2, 0, AutoContrast, 0.6, 0),
        new(Equalize, 0.2, 8, Equalize, 0.6, 4),
        new(Color, 0.9, 9, Equalize, 0.6, 6),
        new(AutoContrast, 0.8, 4, Solarize, 0.2, 8),
        new(Brightness, 0.1, 3, Color, 0.7, 0),
        new(Solarize, 0.4, 5, AutoContrast, 0.9, 3),
        new(TranslateY, 0.9, 9, TranslateY, 0.7, 9),
        new(AutoContrast, 0.9, 2, Solarize, 0.8, 3),
        new(Equalize, 0.8, 8, Invert, 0.1, 3),
        new(TranslateY, 0.7, 9, AutoContrast, 0.9, 1),
    ];

    // Five of these stand twice in the table.
    private static readonly SubPolicy[] ImageNet =
    [
        new(Posterize, 0.4, 8, Rotate, 0.6, 9),
        new(Solarize, 0.6, 5, AutoContrast, 0.6, 5),
        new(Equalize, 0.8, 8, Equalize, 0.6, 3),
        new(Posterize, 0.6, 7, Posterize, 0.6, 6),
        new(Equalize, 0.4, 7, Solarize, 0.2, 4),
        new(Equalize, 0.4, 4, Rotate, 0.8, 8),
        new(Solarize, 0.6, 3, Equalize, 0.6, 7),
        new(Posterize, 0.8, 5, Equalize, 1.0, 2),
        new(Rotate, 0.2, 3, Solarize, 0.6, 8),
        new(Equalize, 0.6, 8, Posterize, 0.4, 6),
        new(Rotate, 0.8, 8, Color, 0.4, 0),
        new(Rotate, 0.4, 9, Equalize, 0.6, 2),
        new(Equalize, 0.0, 7, Equalize, 0.8, 8),
        new(Invert, 0.6, 4, Equalize, 1.0, 8),
        new(Color, 0.6, 4, Contrast, 1.0, 8),
        new(Rotate, 0.8, 8, Color, 1.0, 2),
        new(Color, 0.8, 8, Solarize, 0.8, 7),
        new(Sharpness, 0.4, 7, Invert, 0.6, 8),
        new(ShearX, 0.6, 5, Equalize, 1.0, 9),
        new(Color, 0.4, 0, Equalize, 0.6, 3),
        new(Equalize, 0.4, 7, Solarize, 0.2, 4),
        new(Solarize, 0.6, 5, AutoContrast, 0.6, 5),
        new(Invert, 0.6, 4, Equalize, 1.0, 8),
        new(Color, 0.6, 4, Contrast, 1.0, 8),
        new(Equalize, 0.8, 8, Equalize, 0.6, 3),
    ];

    private static readonly SubPolicy[] Svhn =
    [
        new(ShearX, 0.9, 4, Invert, 0.2, 3),
        new(ShearY, 0.9, 8, Invert, 0.7, 5),
        new(Equalize, 0.6, 5, Solarize, 0.6, 6),
        new(Invert, 0.9, 3, Equalize, 0.6, 3),
        new(Equalize, 0.6, 1, Rotate, 0.9, 3),
        new(ShearX, 0.9, 4, AutoContrast, 0.8, 3),
        new(ShearY, 0.9, 8, Invert, 0.4, 5),
        new(ShearY, 0.9, 5, Solarize, 0.2, 6),
        new(Invert, 0.9, 6, AutoContrast, 0.8, 1),
        new(Equalize, 0.6, 3, Rotate, 0.9, 3),
        new(ShearX, 0.9, 4, Solarize, 0.3, 3),
        new(ShearY, 0.8, 8, Invert, 0.7, 4),
        new(Equalize, 0.9, 5, TranslateY, 0.6, 6),
        new(Invert, 0.9, 4, Equalize, 0.6, 7),
        new(Contrast, 0.3, 3, Rotate, 0.8, 4),
        new(Invert, 0.8, 5, TranslateY, 0.0, 2),
        new(ShearY, 0.7, 6, Solarize, 0.4, 8),
        new(Invert, 0.6, 4, Rotate, 0.8, 4),
        new(ShearY, 0.3, 7, TranslateX, 0.9, 3),
        new(ShearX, 0.1, 6, Invert, 0.6, 5),
        new(Solarize, 0.7, 2, TranslateY, 0.6, 7),
        new(ShearY, 0.8, 4, Invert, 0.8, 8),
        new(ShearX, 0.7, 9, TranslateY, 0.8, 3),
        new(ShearY, 0.8, 5, AutoContrast, 0.7, 3),
        new(ShearX, 0.7, 2, Invert, 0.1, 5),
    ];

    /// <summary>The 25 sub-policies found on a data set.</summary>
    public static IReadOnlyList<SubPolicy> Of(AutoAugmentPolicy policy) => policy switch
    {
        AutoAugmentPolicy.Cifar10 => Cifar10,
        AutoAugmentPolicy.ImageNet => ImageNet,
        AutoAugmentPolicy.Svhn => Svhn,
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "Unknown policy."),
    };

    /// <summary>Draws both, each with its probability; otherwise no change.</summary>
    public (Operation First, Operation Second) Draw(SeededRandom random, int height, int width) =>
        (Draw(First, FirstProbability, FirstLevel, random, height, width), Draw(Second, SecondProbability, SecondLevel, random, height, width));

    private static Operation Draw(Operator kind, double probability, int level, SeededRandom random, int height, int width) =>
        random.NextBool(probability)
            ? AutoAugmentScale.At(kind, level / StrongestLevel, AutoAugmentScale.HasSign(kind) && random.NextBool(), height, width)
            : new Operation(Identity);
}
