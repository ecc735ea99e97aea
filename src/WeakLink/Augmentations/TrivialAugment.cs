namespace WeakLink.Augmentations;

/// <summary>
/// TrivialAugment with its wide ranges (Müller and Hutter, ICCV 2021): one of the 14 operators of <see cref="RandAugment"/> with one of
/// 31 strengths, all equally likely. Ranges, whole numbers, the missing interpolation and the black from outside are those of the
/// authors' code, <c>wide_standard</c>: rotations up to 135°, shears up to 0.99, translations up to 32 pixels whatever the image's
/// size, factors of color, contrast, brightness and sharpness 0.01 ... 2, 8 ... 2 bits.
/// </summary>
public sealed record TrivialAugment : Augmentation
{
    private const int Strongest = 30;

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random) => Draw(random).Apply(image, Resampling.Nearest, outside: 0);

    internal static Operation Draw(SeededRandom random)
    {
        var kind = RandAugment.Operators[random.Next(RandAugment.Operators.Length)];
        var level = random.Next(Strongest + 1);
        return new Operation(kind, kind switch
        {
            Operator.ShearX or Operator.ShearY => Signed(0.99 * level / Strongest, random),
            Operator.TranslateX or Operator.TranslateY => Signed(32 * level / Strongest, random),
            Operator.Rotate => Signed(135 * level / Strongest, random),
            Operator.Color or Operator.Contrast or Operator.Brightness or Operator.Sharpness => 0.01 + (1.99 * level / Strongest),
            Operator.Posterize => 8 - (6 * level / Strongest),
            Operator.Solarize => 256 - (256 * level / Strongest),
            _ => 0,
        });
    }

    private static double Signed(double value, SeededRandom random) => random.NextBool() ? -value : value;
}
