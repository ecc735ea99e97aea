using System.Buffers;
using System.Numerics.Tensors;

namespace WeakLink.Imaging;

/// <summary>Enlarging the middle of an image with linear interpolation, as the published code does it with SciPy's <c>zoom</c>.</summary>
internal static class LinearScale
{
    /// <summary>Adds the enlarged middle of an image to a sum.</summary>
    /// <param name="image">Planes.</param>
    /// <param name="factor">At least 1; 1 adds the image itself.</param>
    /// <param name="sum">Planes of the same size.</param>
    public static void Add(Planes image, double factor, Planes sum)
    {
        var (height, width) = (image.Height, image.Width);
        var first = ArrayPool<int>.Shared.Rent(height + width);
        var weight = ArrayPool<float>.Shared.Rent(height + width);
        using var blend = new Planes(1, 1, width, margin: 1);
        var rows = Places(height, factor, first.AsSpan(0, height), weight.AsSpan(0, height));
        var columns = Places(width, factor, first.AsSpan(height, width), weight.AsSpan(height, width));
        for (var plane = 0; plane < image.Count; plane++)
        {
            for (var y = 0; y < rows; y++)
            {
                // First between two rows, by whole vectors, then between the columns of what that gave.
                var above = image.Row(plane, first[y]);
                var below = image.Row(plane, Math.Min(first[y] + 1, height - 1));
                var row = blend.Row(0, 0);
                TensorPrimitives.Lerp(above, below, weight[y], row);
                Columns(blend.Values.Slice(blend.Start(0, 0), width + 1), first.AsSpan(height, columns), weight.AsSpan(height, columns), sum.Row(plane, y)[..columns]);
            }
        }

        ArrayPool<int>.Shared.Return(first);
        ArrayPool<float>.Shared.Return(weight);
    }

    private static void Columns(Span<float> row, ReadOnlySpan<int> first, ReadOnlySpan<float> weight, Span<float> sum)
    {
        // The pixel right of the last has weight 0, but must be a number.
        row[^1] = row[^2];
        for (var x = 0; x < sum.Length; x++)
        {
            var left = row[first[x]];
            sum[x] += left + (weight[x] * (row[first[x] + 1] - left));
        }
    }

    /// <summary>
    /// Where each pixel of one enlarged row or column lies in the original: crop the middle ceil(length / factor) pixels, scale them
    /// to round(crop × factor) pixels with both ends kept (SciPy's <c>grid_mode=False</c>), keep the middle.
    /// </summary>
    /// <param name="length">Pixels of the row or column.</param>
    /// <param name="factor">At least 1.</param>
    /// <param name="first">Receives the pixel on the left.</param>
    /// <param name="weight">Receives the weight of its right neighbour, in [0, 1].</param>
    /// <returns>
    /// Pixels that lie inside: where rounding puts the last one a hair outside, SciPy finds 0 there, and so do the published images.
    /// </returns>
    private static int Places(int length, double factor, Span<int> first, Span<float> weight)
    {
        var crop = (int)Math.Ceiling(length / factor);
        var top = (length - crop) / 2;
        var scaled = (int)Math.Round(crop * factor, MidpointRounding.ToEven);
        var trim = (scaled - length) / 2;
        var step = scaled > 1 ? (double)(crop - 1) / (scaled - 1) : 0;
        for (var i = 0; i < length; i++)
        {
            var place = (i + trim) * step;
            var left = Math.Min((int)place, Math.Max(crop - 2, 0));
            first[i] = top + left;
            weight[i] = (float)(place - left);
            if (place > crop - 1)
            {
                return i;
            }
        }

        return length;
    }
}
