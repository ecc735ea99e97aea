namespace WeakLink.Imaging;

/// <summary>Gaussian blur as SciPy defines it: a sampled, truncated, normalised Gaussian along rows, then along columns.</summary>
internal static class GaussianFilter
{
    /// <summary>Where scikit-image's <c>gaussian</c> ends the Gaussian unless told otherwise, in standard deviations.</summary>
    public const double Truncate = 4;

    /// <summary>Taps on each side of the centre; the margin that <see cref="Blur"/> needs.</summary>
    public static int Radius(double sigma, double truncate = Truncate) => (int)((truncate * sigma) + 0.5);

    /// <summary>The 2 × radius + 1 weights, summing to 1.</summary>
    public static float[] Weights(double sigma, double truncate = Truncate)
    {
        var radius = Radius(sigma, truncate);
        var weights = new double[(2 * radius) + 1];
        for (var i = -radius; i <= radius; i++)
        {
            weights[i + radius] = radius == 0 ? 1 : Math.Exp(-0.5 * i * i / (sigma * sigma));
        }

        var sum = weights.Sum();
        return [.. weights.Select(weight => (float)(weight / sum))];
    }

    /// <summary>Blurs planes in place; beyond the border lies the nearest pixel.</summary>
    /// <param name="image">Planes with a margin of at least <see cref="Radius"/>.</param>
    /// <param name="sigma">Standard deviation in pixels.</param>
    /// <param name="truncate">Where the Gaussian ends, in standard deviations.</param>
    public static void Blur(Planes image, double sigma, double truncate = Truncate)
    {
        var radius = Radius(sigma, truncate);
        if (radius == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(image.Margin, radius, nameof(image));
        var weights = Weights(sigma, truncate);
        Span<int> offsets = stackalloc int[weights.Length];
        using var rows = new Planes(image.Count, image.Height, image.Width, image.Margin);
        image.ExtendColumns(Border.Edge);
        for (var t = 0; t < offsets.Length; t++)
        {
            offsets[t] = t - radius;
        }

        Correlation.Apply(image, offsets, weights, rows);
        rows.ExtendRows(Border.Edge);
        for (var t = 0; t < offsets.Length; t++)
        {
            offsets[t] = (t - radius) * rows.Stride;
        }

        Correlation.Apply(rows, offsets, weights, image);
    }
}
