using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>
/// A random part of the image, scaled to one size (Szegedy et al. 2015), by torchvision's rule: an area uniform in its range and an
/// aspect (width / height) in 3/4 ... 4/3 whose logarithm is uniform, drawn until the part fits; after ten tries the middle of the
/// image, as much of it as has an allowed aspect. Scaled as by Pillow's <c>resize</c> with its bilinear filter.
/// </summary>
/// <param name="Height">Height of the result in pixels.</param>
/// <param name="Width">Width of the result in pixels.</param>
/// <param name="SmallestArea">Lower end of the part's share of the image, in (0, 1]; the upper end is 1.</param>
public sealed record RandomResizedCrop(int Height, int Width, double SmallestArea = 0.08) : Augmentation
{
    private const int Tries = 10;
    private const double Narrowest = 3.0 / 4;
    private const double Widest = 4.0 / 3;

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        var (top, left, height, width) = Part(image.Height, image.Width, random);
        FilteredResize.Apply(image.View, top, left, height, width, Height, Width, image.Spare(Height, Width));
        image.TakeSpare(Height, Width);
    }

    internal (int Top, int Left, int Height, int Width) Part(int imageHeight, int imageWidth, SeededRandom random)
    {
        int height, width;
        for (var i = 0; i < Tries; i++)
        {
            var area = random.NextDouble(SmallestArea, 1) * imageHeight * imageWidth;
            var aspect = Math.Exp(random.NextDouble(Math.Log(Narrowest), Math.Log(Widest)));
            (height, width) = ((int)Math.Round(Math.Sqrt(area / aspect)), (int)Math.Round(Math.Sqrt(area * aspect)));
            if (height > 0 && height <= imageHeight && width > 0 && width <= imageWidth)
            {
                return (random.Next(imageHeight - height + 1), random.Next(imageWidth - width + 1), height, width);
            }
        }

        var imageAspect = (double)imageWidth / imageHeight;
        (height, width) = imageAspect < Narrowest ? ((int)Math.Round(imageWidth / Narrowest), imageWidth)
            : imageAspect > Widest ? (imageHeight, (int)Math.Round(imageHeight * Widest))
            : (imageHeight, imageWidth);
        return ((imageHeight - height) / 2, (imageWidth - width) / 2, height, width);
    }
}
