using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>How an image is read between its pixels.</summary>
internal enum Resampling
{
    /// <summary>The nearest pixel.</summary>
    Nearest,

    /// <summary>Linear between the four nearest pixels.</summary>
    Linear,
}

/// <summary>An operator with its parameter, equal to Pillow 9.4's.</summary>
/// <param name="Operator">Which one.</param>
/// <param name="Parameter">In the operator's own unit; operators without one ignore it.</param>
internal readonly record struct Operation(Operator Operator, double Parameter = 0)
{
    /// <summary>Changes the image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="resampling">How those operators that move pixels read the image.</param>
    /// <param name="outside">Grey level of what they bring in from outside.</param>
    public void Apply(ImageBuffer image, Resampling resampling, byte outside)
    {
        switch (Operator)
        {
            case Operator.Identity:
                break;
            case Operator.AutoContrast:
                Tones.AutoContrast(image.Pixels);
                break;
            case Operator.Equalize:
                Tones.Equalize(image.Pixels);
                break;
            case Operator.Invert:
                Tones.Invert(image.Pixels);
                break;
            case Operator.Posterize:
                Tones.Posterize(image.Pixels, (int)Parameter);
                break;
            case Operator.Solarize:
                Tones.Solarize(image.Pixels, Parameter);
                break;
            case Operator.Rotate:
                Move(image, AffineMap.Turned(image.Height, image.Width, Parameter), resampling, outside);
                break;
            case Operator.ShearX:
                Move(image, new AffineMap(1, Parameter, 0, 0, 1, 0), resampling, outside);
                break;
            case Operator.ShearY:
                Move(image, new AffineMap(1, 0, 0, Parameter, 1, 0), resampling, outside);
                break;
            case Operator.TranslateX:
                Move(image, new AffineMap(1, 0, Parameter, 0, 1, 0), resampling, outside);
                break;
            case Operator.TranslateY:
                Move(image, new AffineMap(1, 0, 0, 0, 1, Parameter), resampling, outside);
                break;
            case Operator.Color:
                Enhancement.Colour(image.Pixels, Parameter);
                break;
            case Operator.Contrast:
                Enhancement.Contrast(image.Pixels, Parameter);
                break;
            case Operator.Brightness:
                Enhancement.Brightness(image.Pixels, Parameter);
                break;
            case Operator.Sharpness:
                Enhancement.Sharpness(image.View, Parameter, image.Spare(image.Height, image.Width));
                image.TakeSpare(image.Height, image.Width);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(image), Operator, "Unknown operator.");
        }
    }

    private static void Move(ImageBuffer image, AffineMap map, Resampling resampling, byte outside)
    {
        var result = image.Spare(image.Height, image.Width);
        if (resampling == Resampling.Nearest)
        {
            AffineSampling.Nearest(image.View, map, image.Height, image.Width, result, outside);
        }
        else
        {
            AffineSampling.Linear(image.View, map, image.Height, image.Width, result, outside);
        }

        image.TakeSpare(image.Height, image.Width);
    }
}
