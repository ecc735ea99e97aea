using WeakLink.Data;

namespace WeakLink.Augmentations;

/// <summary>A random crop of the image with black pixels around it, every position equally likely.</summary>
/// <param name="Height">Height of the result in pixels, at most the image's with its padding.</param>
/// <param name="Width">Width of the result in pixels, at most the image's with its padding.</param>
/// <param name="Padding">Black pixels on each side.</param>
public sealed record RandomCrop(int Height, int Width, int Padding) : Augmentation
{
    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        new CropAndFlip(Height, Width, Padding, Flip: false).Random(image.Pixels, image.Height, image.Width, image.Spare(Height, Width), random);
        image.TakeSpare(Height, Width);
    }
}
