namespace WeakLink.Augmentations;

/// <summary>
/// Cutout (DeVries and Taylor 2017): a grey square whose middle may be any pixel, so that it reaches beyond the image at its borders.
/// The authors cut after normalising, to 0: the mean of the data; 128 is the nearest to it that suits every data set.
/// </summary>
/// <param name="Size">Side of the square in pixels, at least 0. The paper: 16 for CIFAR-10, 8 for CIFAR-100, 20 for SVHN.</param>
public sealed record Cutout(int Size = 16) : Augmentation
{
    private const byte Grey = 128;

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        var top = random.Next(image.Height) - (Size / 2);
        var left = random.Next(image.Width) - (Size / 2);
        var (first, last) = (Math.Max(left, 0), Math.Min(left + Size, image.Width));
        for (var channel = 0; channel < Imaging.ImageView.Channels; channel++)
        {
            for (var y = Math.Max(top, 0); y < Math.Min(top + Size, image.Height); y++)
            {
                image.Pixels.Slice((((channel * image.Height) + y) * image.Width) + first, last - first).Fill(Grey);
            }
        }
    }
}
