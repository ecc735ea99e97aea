using System.Collections.Concurrent;
using WeakLink.Data;

namespace WeakLink.Augmentations;

/// <summary>
/// A sequence of augmentations as a training step sees it: one view of each image, or the three that AugMix's consistency objective compares.
/// </summary>
public sealed class AugmentedViews : IViews
{
    private readonly ConcurrentBag<(ImageBuffer Image, ImageBuffer Shared)> _buffers = [];
    private readonly IReadOnlyList<Augmentation> _sequence;
    private readonly int _mixed;

    /// <summary>Takes a sequence.</summary>
    /// <param name="height">Height of what the network sees.</param>
    /// <param name="width">Width of what the network sees.</param>
    /// <param name="sequence">The augmentations, in order; what comes out has that size.</param>
    /// <param name="threeViews">
    /// Whether to make three views: one that passes over <see cref="AugMix"/> (the clean one), and two with mixtures of their own; all share what
    /// comes before it, such as the crop (Hendrycks et al. 2020, section 3).
    /// </param>
    public AugmentedViews(int height, int width, IReadOnlyList<Augmentation> sequence, bool threeViews = false)
    {
        (Height, Width, Count, _sequence) = (height, width, threeViews ? 3 : 1, sequence);
        _mixed = threeViews ? sequence.TakeWhile(augmentation => augmentation is not AugMix).Count() : sequence.Count;
    }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public bool Fit(int height, int width) => _sequence.FirstOrDefault(augmentation => augmentation is RandomCrop or RandomResizedCrop) switch
    {
        RandomCrop crop => Height <= height + (2 * crop.Padding) && Width <= width + (2 * crop.Padding),
        RandomResizedCrop => true,
        _ => (Height, Width) == (height, width),
    };

    /// <inheritdoc/>
    public void Make(ReadOnlySpan<byte> source, int height, int width, ViewTargets target, SeededRandom random)
    {
        var (image, shared) = _buffers.TryTake(out var spare) ? spare : (new ImageBuffer(), new ImageBuffer());
        image.Load(source, height, width);
        Apply(image, 0, _mixed, random);
        if (Count > 1)
        {
            shared.Load(image.Pixels, image.Height, image.Width);
            Apply(image, _mixed + 1, _sequence.Count, random);
        }

        image.Pixels.CopyTo(target[0]);
        for (var view = 1; view < Count; view++)
        {
            image.Load(shared.Pixels, shared.Height, shared.Width);
            Apply(image, _mixed, _sequence.Count, random);
            image.Pixels.CopyTo(target[view]);
        }

        _buffers.Add((image, shared));
    }

    private void Apply(ImageBuffer image, int from, int to, SeededRandom random)
    {
        for (var i = from; i < to; i++)
        {
            _sequence[i].Apply(image, random);
        }
    }
}
