using WeakLink.Imaging;

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
        var top = random.Next(image.Height + (2 * Padding) - Height + 1) - Padding;
        var left = random.Next(image.Width + (2 * Padding) - Width + 1) - Padding;
        var first = Math.Clamp(-left, 0, Width);
        var last = Math.Clamp(image.Width - left, first, Width);
        var result = image.Spare(Height, Width);
        result.Clear();
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            var from = image.View.Plane(channel);
            var to = ImageView.Plane(result, channel);
            for (var y = Math.Max(-top, 0); y < Math.Min(image.Height - top, Height); y++)
            {
                if (last > first)
                {
                    from.Slice(((top + y) * image.Width) + left + first, last - first).CopyTo(to[((y * Width) + first)..]);
                }
            }
        }

        image.TakeSpare(Height, Width);
    }
}
