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
        var (top, left) = CropAndFlip.Place(image.Height, image.Width, (Height, Width), Padding, random);
        CropAndFlip.Cut(image.Pixels, image.Height, image.Width, image.Spare(Height, Width), (Height, Width), top, left, mirror: false);
        image.TakeSpare(Height, Width);
    }
}
