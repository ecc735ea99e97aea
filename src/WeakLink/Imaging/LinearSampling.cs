namespace WeakLink.Imaging;

/// <summary>Values of an image between its pixels.</summary>
internal static class LinearSampling
{
    /// <summary>Every pixel of the result becomes the image's value at its place, linear between the four pixels around.</summary>
    /// <param name="image">The planes.</param>
    /// <param name="places">Two planes: x and y of each pixel's place in the image.</param>
    /// <param name="border">What lies outside.</param>
    /// <param name="result">As many planes as the image, of the places' size.</param>
    public static void Apply(Planes image, Planes places, Border border, Planes result)
    {
        var source = image.Values;
        var stride = image.Stride;
        var plane = image.PlaneLength;
        for (var y = 0; y < places.Height; y++)
        {
            var across = places.Row(0, y);
            var down = places.Row(1, y);
            for (var x = 0; x < across.Length; x++)
            {
                var (left, top) = (MathF.Floor(across[x]), MathF.Floor(down[x]));
                var (fx, fy) = (across[x] - left, down[x] - top);
                var (column, row) = (border.Inside((int)left, image.Width), border.Inside((int)top, image.Height));
                var (nextColumn, nextRow) = (border.Inside((int)left + 1, image.Width), border.Inside((int)top + 1, image.Height));
                var (above, below) = (image.Start(0, row), image.Start(0, nextRow));
                for (var (channel, to) = (0, result.Start(0, y) + x); channel < image.Count; channel++, to += result.PlaneLength)
                {
                    var upper = source[above + column] + (fx * (source[above + nextColumn] - source[above + column]));
                    var lower = source[below + column] + (fx * (source[below + nextColumn] - source[below + column]));
                    result.Values[to] = upper + (fy * (lower - upper));
                    above += plane;
                    below += plane;
                }
            }
        }
    }
}
