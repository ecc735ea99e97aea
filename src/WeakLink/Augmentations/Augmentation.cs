namespace WeakLink.Augmentations;

/// <summary>
/// A random change of one training image. Stateless: safe to use from several threads, each with its own buffer and random numbers.
/// </summary>
public abstract record Augmentation
{
    /// <summary>Changes the image.</summary>
    /// <param name="image">The image, of any size; its size may change, too.</param>
    /// <param name="random">All random draws come from here.</param>
    public abstract void Apply(ImageBuffer image, SeededRandom random);
}
