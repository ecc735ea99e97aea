namespace WeakLink.Imaging;

/// <summary>
/// Gaussian blur with mirrored borders, for Gaussians that may be wider than the image: the mirrored taps are folded into the image
/// first, so that no pixel costs more products than a row or column has pixels.
/// </summary>
internal static class ReflectedGaussian
{
    /// <summary>Blurs planes without a margin in place.</summary>
    /// <param name="image">The planes.</param>
    /// <param name="sigma">Standard deviation in pixels, above 0.</param>
    /// <param name="truncate">Where the Gaussian ends, in standard deviations.</param>
    public static void Blur(Planes image, double sigma, double truncate)
    {
        var weights = GaussianFilter.Weights(sigma, truncate);
        using var down = new Planes(image.Count, image.Height, image.Width);
        Columns(image, weights, down);
        using var turned = Transposed(down);
        using var across = new Planes(image.Count, image.Width, image.Height);
        Columns(turned, weights, across);
        Transpose(across, image);
    }

    private static void Columns(Planes image, float[] weights, Planes result)
    {
        var radius = weights.Length / 2;
        var folded = new float[image.Height];
        var offsets = new int[image.Height];
        for (var y = 0; y < image.Height; y++)
        {
            Array.Clear(folded);
            for (var t = -radius; t <= radius; t++)
            {
                folded[Border.Reflect.Inside(y + t, image.Height)] += weights[t + radius];
            }

            // The rows in reach, or all of them.
            var (first, last) = (Math.Max(y - radius, 0), Math.Min(y + radius, image.Height - 1));
            for (var row = first; row <= last; row++)
            {
                offsets[row] = (row - first) * image.Stride;
            }

            for (var plane = 0; plane < image.Count; plane++)
            {
                Correlation.Row(
                    image.Values,
                    image.Start(plane, first),
                    offsets.AsSpan(first, last - first + 1),
                    folded.AsSpan(first, last - first + 1),
                    result.Values[result.Start(plane, y)..],
                    image.Width);
            }
        }
    }

    private static Planes Transposed(Planes image)
    {
        var result = new Planes(image.Count, image.Width, image.Height);
        Transpose(image, result);
        return result;
    }

    private static void Transpose(Planes image, Planes result)
    {
        for (var plane = 0; plane < image.Count; plane++)
        {
            for (var y = 0; y < image.Height; y++)
            {
                var row = image.Row(plane, y);
                var to = result.Start(plane, 0) + y;
                foreach (var value in row)
                {
                    result.Values[to] = value;
                    to += result.Stride;
                }
            }
        }
    }
}
