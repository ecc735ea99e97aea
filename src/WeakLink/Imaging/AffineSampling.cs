namespace WeakLink.Imaging;

/// <summary>Images moved, turned and sheared as by Pillow's <c>transform</c>; what lies outside is black.</summary>
internal static class AffineSampling
{
    // Pillow's nearest-pixel transform counts in 65,536ths of a pixel.
    private const double Fixed = 65536;

    /// <summary>Every pixel becomes the one that its middle falls on.</summary>
    /// <param name="image">The image.</param>
    /// <param name="map">From the result to the image.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="result">Receives 3 × height × width bytes.</param>
    public static void Nearest(ImageView image, AffineMap map, int height, int width, Span<byte> result)
    {
        var (a, b, d, e) = (ToFixed(map.A), ToFixed(map.B), ToFixed(map.D), ToFixed(map.E));
        var (rowX, rowY) = (ToFixed(map.C + (0.5 * (map.A + map.B))), ToFixed(map.F + (0.5 * (map.D + map.E))));
        var (from, to) = (image.Height * image.Width, height * width);
        for (var (y, at) = (0, 0); y < height; y++, rowX += b, rowY += e)
        {
            var (inX, inY) = (rowX, rowY);
            for (var x = 0; x < width; x++, at++, inX += a, inY += d)
            {
                var (column, row) = (inX >> 16, inY >> 16);
                var inside = (ulong)column < (ulong)image.Width && (ulong)row < (ulong)image.Height;
                var pixel = inside ? (int)((row * image.Width) + column) : 0;
                for (var channel = 0; channel < ImageView.Channels; channel++)
                {
                    result[(channel * to) + at] = inside ? image.Planes[(channel * from) + pixel] : (byte)0;
                }
            }
        }
    }

    /// <summary>Every pixel becomes the image's value at its middle, linear between the four pixels around, cut to a byte.</summary>
    /// <inheritdoc cref="Nearest"/>
    public static void Linear(ImageView image, AffineMap map, int height, int width, Span<byte> result)
    {
        var (from, to) = (image.Height * image.Width, height * width);
        for (var (y, at) = (0, 0); y < height; y++)
        {
            for (var x = 0; x < width; x++, at++)
            {
                var inX = (map.A * (x + 0.5)) + (map.B * (y + 0.5)) + map.C;
                var inY = (map.D * (x + 0.5)) + (map.E * (y + 0.5)) + map.F;
                if (inX < 0 || inX >= image.Width || inY < 0 || inY >= image.Height)
                {
                    for (var channel = 0; channel < ImageView.Channels; channel++)
                    {
                        result[(channel * to) + at] = 0;
                    }

                    continue;
                }

                var (left, top) = ((int)Math.Floor(inX - 0.5), (int)Math.Floor(inY - 0.5));
                var (across, down) = (inX - 0.5 - left, inY - 0.5 - top);
                var (column, nextColumn) = (Math.Max(left, 0), Math.Min(left + 1, image.Width - 1));
                var (above, below) = (Math.Max(top, 0) * image.Width, Math.Min(top + 1, image.Height - 1) * image.Width);
                for (var channel = 0; channel < ImageView.Channels; channel++, above += from, below += from)
                {
                    var upper = image.Planes[above + column] + (across * (image.Planes[above + nextColumn] - image.Planes[above + column]));
                    var lower = image.Planes[below + column] + (across * (image.Planes[below + nextColumn] - image.Planes[below + column]));
                    result[(channel * to) + at] = (byte)(upper + (down * (lower - upper)));
                }
            }
        }
    }

    private static long ToFixed(double value) => (long)Math.Floor((value * Fixed) + 0.5);
}
