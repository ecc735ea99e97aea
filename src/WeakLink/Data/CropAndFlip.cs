namespace WeakLink.Data;

/// <summary>The classic augmentation of small images: a random crop of the zero-padded image, mirrored half of the time.</summary>
/// <param name="Height">Height of the result in pixels.</param>
/// <param name="Width">Width of the result in pixels.</param>
/// <param name="Padding">Black pixels added on each side before the crop.</param>
/// <param name="Flip">Whether to mirror left to right with probability 1/2.</param>
public sealed record CropAndFlip(int Height, int Width, int Padding, bool Flip) : IViews
{
    /// <inheritdoc/>
    public int Count => 1;

    /// <inheritdoc/>
    public bool Fit(int height, int width) => Height <= height + (2 * Padding) && Width <= width + (2 * Padding);

    /// <inheritdoc/>
    public void Make(ReadOnlySpan<byte> source, int height, int width, ViewTargets target, SeededRandom random) => Random(source, height, width, target[0], random);

    /// <summary>A random crop, for training.</summary>
    /// <param name="source">Three planes of <paramref name="height"/> × <paramref name="width"/> bytes.</param>
    /// <param name="height">Height of the source.</param>
    /// <param name="width">Width of the source.</param>
    /// <param name="target">Receives three planes of <see cref="Height"/> × <see cref="Width"/> bytes.</param>
    /// <param name="random">The draws of this sample in this epoch.</param>
    public void Random(ReadOnlySpan<byte> source, int height, int width, Span<byte> target, SeededRandom random)
    {
        var (top, left) = Place(height, width, (Height, Width), Padding, random);
        Cut(source, height, width, target, (Height, Width), top, left, Flip && random.NextBool());
    }

    /// <summary>Where a random crop begins, every position equally likely; below 0 in the padding.</summary>
    internal static (int Top, int Left) Place(int height, int width, (int Height, int Width) crop, int padding, SeededRandom random)
    {
        var top = random.Next(height + (2 * padding) - crop.Height + 1) - padding;
        return (top, random.Next(width + (2 * padding) - crop.Width + 1) - padding);
    }

    /// <summary>Cuts a part out of an image, black where it lies outside of it.</summary>
    internal static void Cut(ReadOnlySpan<byte> source, int height, int width, Span<byte> target, (int Height, int Width) crop, int top, int left, bool mirror)
    {
        // Which columns of the result lie on the image: none, where the crop is all padding.
        var first = Math.Clamp(-left, 0, crop.Width);
        var last = Math.Clamp(width - left, first, crop.Width);
        for (var channel = 0; channel < Dataset.Channels; channel++)
        {
            for (var y = 0; y < crop.Height; y++)
            {
                var row = target.Slice(((channel * crop.Height) + y) * crop.Width, crop.Width);
                var sourceY = top + y;
                if ((uint)sourceY >= (uint)height || first == last)
                {
                    row.Clear();
                    continue;
                }

                row[..first].Clear();
                source.Slice((((channel * height) + sourceY) * width) + left + first, last - first).CopyTo(row[first..]);
                row[last..].Clear();
                if (mirror)
                {
                    row.Reverse();
                }
            }
        }
    }
}
