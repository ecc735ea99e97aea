namespace WeakLink.Imaging;

/// <summary>Motion blur as ImageMagick 6 defines it: half a Gaussian along a line of whole pixels; beyond the border lies the nearest pixel.</summary>
internal static class MotionFilter
{
    /// <summary>The margin that <see cref="Apply"/> needs.</summary>
    public static int Reach(int radius) => 2 * radius;

    /// <summary>Blurs along a line.</summary>
    /// <param name="image">Planes with a margin of at least <see cref="Reach"/>.</param>
    /// <param name="radius">Half the length of the line in pixels.</param>
    /// <param name="sigma">Standard deviation of the Gaussian.</param>
    /// <param name="angle">Direction in degrees: 0 takes from the pixels on the right, 90 from those below.</param>
    /// <returns>The blurred planes, without a margin.</returns>
    public static Planes Apply(Planes image, int radius, double sigma, double angle)
    {
        var length = (2 * radius) + 1;
        Span<int> offsets = stackalloc int[length];
        Span<float> weights = stackalloc float[length];
        var (sine, cosine) = Math.SinCos(angle * Math.PI / 180);
        var sum = 0.0;
        for (var i = 0; i < length; i++)
        {
            sum += Math.Exp(-i * i / (2 * sigma * sigma));
        }

        for (var i = 0; i < length; i++)
        {
            weights[i] = (float)(Math.Exp(-i * i / (2 * sigma * sigma)) / sum);
            offsets[i] = ((int)Math.Ceiling((i * sine) - 0.5) * image.Stride) + (int)Math.Ceiling((i * cosine) - 0.5);
        }

        image.Extend(Border.Edge);
        var moved = new Planes(image.Count, image.Height, image.Width);
        Correlation.Apply(image, offsets, weights, moved);
        return moved;
    }
}
