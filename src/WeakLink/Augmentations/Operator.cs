namespace WeakLink.Augmentations;

/// <summary>What AutoAugment and its successors choose from; an <see cref="Operation"/> is one of them with its parameter.</summary>
internal enum Operator
{
    /// <summary>No change.</summary>
    Identity,

    /// <summary>Stretches each plane's levels to 0 ... 255.</summary>
    AutoContrast,

    /// <summary>Spreads each plane's levels.</summary>
    Equalize,

    /// <summary>255 − level.</summary>
    Invert,

    /// <summary>Keeps the highest bits; the parameter is how many, 0 ... 8.</summary>
    Posterize,

    /// <summary>Inverts levels that are not below the parameter, 0 ... 256.</summary>
    Solarize,

    /// <summary>Turns counter-clockwise; degrees.</summary>
    Rotate,

    /// <summary>Moves each row to the left, the lower the farther; pixels for every pixel.</summary>
    ShearX,

    /// <summary>Moves each column upwards, the farther to the right the more; pixels for every pixel.</summary>
    ShearY,

    /// <summary>Moves to the left; pixels.</summary>
    TranslateX,

    /// <summary>Moves upwards; pixels.</summary>
    TranslateY,

    /// <summary>Between grey (0), the image (1) and beyond.</summary>
    Color,

    /// <summary>Between the mean grey (0), the image (1) and beyond.</summary>
    Contrast,

    /// <summary>Between black (0), the image (1) and beyond.</summary>
    Brightness,

    /// <summary>Between a smoothed image (0), the image (1) and beyond.</summary>
    Sharpness,
}
