using System.Collections.Concurrent;
using WeakLink.Data;

namespace WeakLink.Augmentations;

/// <summary>
/// A sequence of augmentations as a training step sees it: one view of each image, or the three that AugMix's consistency objective compares; behind them, where there is one,
/// the view that a subnet sees.
/// </summary>
public sealed class AugmentedViews : IViews
{
    private readonly ConcurrentBag<ImageBuffer[]> _buffers = [];
    private readonly IReadOnlyList<Augmentation> _sequence;
    private readonly int _mixed;
    private readonly Branch[] _others;

    /// <summary>Takes a sequence.</summary>
    /// <param name="height">Height of what the network sees.</param>
    /// <param name="width">Width of what the network sees.</param>
    /// <param name="sequence">The augmentations, in order; what comes out has that size.</param>
    /// <param name="threeViews">
    /// Whether to make three views: one that passes over <see cref="AugMix"/> (the clean one), and two with mixtures of their own; all share what
    /// comes before it, such as the crop (Hendrycks et al. 2020, section 3).
    /// </param>
    /// <param name="subnet">The view that a subnet sees, where it is another one; its draws come last, so that the other views are what they are without it.</param>
    public AugmentedViews(int height, int width, IReadOnlyList<Augmentation> sequence, bool threeViews = false, Branch? subnet = null)
    {
        (Height, Width, _sequence) = (height, width, sequence);
        _mixed = threeViews ? sequence.TakeWhile(augmentation => augmentation is not AugMix).Count() : sequence.Count;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(subnet?.Shared ?? 0, _mixed, nameof(subnet));
        var mixture = new Branch(_mixed, [.. sequence.Skip(_mixed)]);
        _others = [.. threeViews ? [mixture, mixture] : Array.Empty<Branch>(), .. subnet is null ? Array.Empty<Branch>() : [subnet]];
    }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Count => 1 + _others.Length;

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
        var images = _buffers.TryTake(out var spare) ? spare : [.. Enumerable.Range(0, Count).Select(_ => new ImageBuffer())];
        var first = images[0];
        first.Load(source, height, width);
        for (var step = 0; step <= _mixed; step++)
        {
            for (var other = 0; other < _others.Length; other++)
            {
                if (_others[other].Shared == step)
                {
                    images[other + 1].Load(first.Pixels, first.Height, first.Width);
                }
            }

            if (step < _mixed)
            {
                _sequence[step].Apply(first, random);
            }
        }

        for (var step = _mixed + 1; step < _sequence.Count; step++)
        {
            _sequence[step].Apply(first, random);
        }

        for (var view = 0; view < Count; view++)
        {
            foreach (var augmentation in view == 0 ? [] : _others[view - 1].Sequence)
            {
                augmentation.Apply(images[view], random);
            }

            if ((images[view].Height, images[view].Width) != (Height, Width))
            {
                throw new InvalidOperationException($"The augmentations end with {images[view].Width}x{images[view].Height} pixels, but the views have {Width}x{Height}: the last crop must have the views' size.");
            }

            images[view].Pixels.CopyTo(target[view]);
        }

        _buffers.Add(images);
    }
}

/// <summary>A further view of an image, which goes its own way from some point on.</summary>
/// <param name="Shared">So many of the first view's augmentations come before it, with the same draws: at most those that come before AugMix where three views are made.</param>
/// <param name="Sequence">What happens to it then, with draws of its own.</param>
public sealed record Branch(int Shared, IReadOnlyList<Augmentation> Sequence);
