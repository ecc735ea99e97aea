using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>The image is stretched: an affine map that moves three points, then a smooth random displacement of every pixel.</summary>
internal sealed class ElasticTransform() : Corruption("elastic_transform", CorruptionGroup.Digital)
{
    // The noise that displaces is smoothed by a Gaussian that ends here, in standard deviations.
    private const double Truncate = 3;

    // All in pixels: by how much a displacement of ±1 is multiplied, what it is smoothed with, and how far the three points move. 244 is
    // what the published code has for ImageNet.
    private static readonly Levels<(double Amount, double Sigma, double Shift)> Stretches = new(
        cifar: Scaled(32, [(0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)]),
        tinyImageNet: Scaled(64, [(0, 0, 0.08), (0.05, 0.3, 0.06), (0.1, 0.08, 0.06), (0.1, 0.03, 0.03), (0.16, 0.03, 0.02)]),
        imageNet: Scaled(244, [(2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)]));

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (amount, sigma, shift) = Stretches[table, severity];
        var (height, width) = (image.Height, image.Width);
        using var pixels = Planes.Of(image);
        using var turned = new Planes(pixels.Count, height, width);
        using var places = new Planes(2, height, width);
        AffinePlaces(places, shift, random);
        LinearSampling.Apply(pixels, places, Border.Mirror, turned);

        using var displacement = new Planes(2, height, width);
        random.FillUniform(displacement.Used);
        SmoothNoise(displacement, sigma);
        for (var y = 0; y < height; y++)
        {
            var across = places.Row(0, y);
            var down = places.Row(1, y);
            var dx = displacement.Row(0, y);
            var dy = displacement.Row(1, y);
            for (var x = 0; x < width; x++)
            {
                across[x] = x + (float)(amount * dx[x]);
                down[x] = y + (float)(amount * dy[x]);
            }
        }

        LinearSampling.Apply(turned, places, Border.Reflect, pixels);
        pixels.CutTo(result);
    }

    // Three corners of a square in the middle move by up to `shift` pixels; where each pixel then comes from.
    private static void AffinePlaces(Planes places, double shift, SeededRandom random)
    {
        var (height, width) = (places.Height, places.Width);
        double reach = Math.Min(height, width) / 3;
        double centreX = width / 2, centreY = height / 2;
        double Moved(double place) => place + random.NextDouble(-shift, shift);
        var (ax, ay) = (Moved(centreX + reach), Moved(centreY + reach));
        var (bx, by) = (Moved(centreX + reach), Moved(centreY - reach));
        var (cx, cy) = (Moved(centreX - reach), Moved(centreY - reach));

        // In the basis of the moved square's sides, b − a stands for (0, −2 reach) and c − b for (−2 reach, 0).
        var (ux, uy, vx, vy) = (ax - bx, ay - by, bx - cx, by - cy);
        var determinant = (vx * uy) - (vy * ux);
        var degenerate = reach == 0 || Math.Abs(determinant) < 1e-6;
        for (var y = 0; y < height; y++)
        {
            var across = places.Row(0, y);
            var down = places.Row(1, y);
            for (var x = 0; x < width; x++)
            {
                var (px, py) = (x - bx, y - by);
                across[x] = degenerate ? x : (float)(centreX + reach + (2 * reach * ((px * uy) - (py * ux)) / determinant));
                down[x] = degenerate ? y : (float)(centreY - reach + (2 * reach * ((vx * py) - (vy * px)) / determinant));
            }
        }
    }

    /// <summary>Uniform noise in [0, 1) becomes noise in [−1, 1), smoothed with mirrored borders.</summary>
    private static void SmoothNoise(Planes noise, double sigma)
    {
        var values = noise.Used;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (2 * values[i]) - 1;
        }

        if (sigma > 0)
        {
            ReflectedGaussian.Blur(noise, sigma, Truncate);
        }
    }

    private static (double Amount, double Sigma, double Shift)[] Scaled(double size, (double Amount, double Sigma, double Shift)[] fractions) =>
        [.. fractions.Select(fraction => (size * fraction.Amount, size * fraction.Sigma, size * fraction.Shift))];
}
