namespace WeakLink.Augmentations;

/// <summary>Mirrors left to right, half of the time.</summary>
public sealed record RandomFlip : Augmentation
{
    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        if (!random.NextBool())
        {
            return;
        }

        var pixels = image.Pixels;
        for (var row = 0; row < pixels.Length; row += image.Width)
        {
            pixels.Slice(row, image.Width).Reverse();
        }
    }
}
