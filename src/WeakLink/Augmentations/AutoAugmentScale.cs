namespace WeakLink.Augmentations;

/// <summary>
/// What a strength means for each operator: the ranges of AutoAugment (Cubuk et al. 2019, appendix), in which 0 leaves
/// the image as it is wherever the paper's wording allows: color, contrast, brightness and sharpness go up or down from 1, bits and
/// thresholds fall. So read the two widely used implementations, DeepVoltaire/AutoAugment and torchvision, to which the other choices
/// belong as well: translations in proportion to the image (150 pixels of 331), and a shear or a translation measured from the corner.
/// </summary>
internal static class AutoAugmentScale
{
    /// <summary>Grey of what lies outside: 128, as in DeepVoltaire/AutoAugment and in the code of AutoAugment's and RandAugment's authors.</summary>
    public const byte Outside = 128;

    /// <summary>Whether the operator has two directions, each half of the time.</summary>
    public static bool HasSign(Operator kind) => kind is >= Operator.Rotate and <= Operator.Sharpness;

    /// <summary>An operator at a strength.</summary>
    /// <param name="kind">The operator.</param>
    /// <param name="strength">0 (weakest) ... 1 (strongest).</param>
    /// <param name="negative">Its direction, where it has two.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    public static Operation At(Operator kind, double strength, bool negative, int height, int width)
    {
        var signed = negative ? -strength : strength;
        return new Operation(kind, kind switch
        {
            Operator.ShearX or Operator.ShearY => 0.3 * signed,
            Operator.TranslateX => 150.0 / 331 * width * signed,
            Operator.TranslateY => 150.0 / 331 * height * signed,
            Operator.Rotate => 30 * signed,
            Operator.Color or Operator.Contrast or Operator.Brightness or Operator.Sharpness => 1 + (0.9 * signed),
            Operator.Posterize => Math.Round(8 - (4 * strength)),
            Operator.Solarize => 256 * (1 - strength),
            _ => 0,
        });
    }
}
