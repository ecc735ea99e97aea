namespace WeakLink.Augmentations;

/// <summary>
/// RandAugment (Cubuk, Zoph, Shlens and Le, NeurIPS 2020): some of 14 operators, all of the same strength, each as likely as the others
/// every time. The ranges are those of <see cref="AutoAugment"/> in 31 steps, as torchvision and TrivialAugment's authors read the
/// paper's magnitudes, which go up to 30 (its text speaks of a scale to 10). Pixels are moved without interpolation and what comes in
/// from outside is grey (128), as in the authors' code.
/// </summary>
/// <param name="Operations">Operators one after the other, at least 0. The paper: 2 for ImageNet, 1 ... 3 for CIFAR.</param>
/// <param name="Magnitude">Strength, 0 ... 30. The paper: 9 for a ResNet-50 on ImageNet.</param>
public sealed record RandAugment(int Operations = 2, int Magnitude = 9) : Augmentation
{
    private const int Strongest = 30;

    /// <summary>The paper's fourteen.</summary>
    internal static readonly Operator[] Operators =
    [
        Operator.Identity, Operator.AutoContrast, Operator.Equalize, Operator.Rotate, Operator.Solarize, Operator.Color, Operator.Posterize,
        Operator.Contrast, Operator.Brightness, Operator.Sharpness, Operator.ShearX, Operator.ShearY, Operator.TranslateX, Operator.TranslateY,
    ];

    /// <summary>Strength, 0 ... 30.</summary>
    public int Magnitude { get; init; } = Magnitude is >= 0 and <= Strongest
        ? Magnitude
        : throw new ArgumentOutOfRangeException(nameof(Magnitude), Magnitude, "RandAugment's magnitude must be 0 ... 30.");

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        for (var i = 0; i < Operations; i++)
        {
            Draw(random, image.Height, image.Width).Apply(image, Resampling.Nearest, AutoAugmentScale.Outside);
        }
    }

    internal Operation Draw(SeededRandom random, int height, int width)
    {
        var kind = Operators[random.Next(Operators.Length)];
        return AutoAugmentScale.At(kind, (double)Magnitude / Strongest, AutoAugmentScale.HasSign(kind) && random.NextBool(), height, width);
    }
}
