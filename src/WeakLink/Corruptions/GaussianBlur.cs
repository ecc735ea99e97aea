using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>A Gaussian low-pass filter.</summary>
internal sealed class GaussianBlur() : Corruption("gaussian_blur", CorruptionGroup.Blur, heldOut: true)
{
    // Standard deviation in pixels.
    private static readonly Levels<double> Sigma = new(
        cifar: [0.4, 0.6, 0.7, 0.8, 1],
        tinyImageNet: [0.5, 0.75, 1, 1.25, 1.5],
        imageNet: [1, 2, 3, 4, 6]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        Blur(image, Sigma[table, severity], result);

    /// <summary>Blurs with a standard deviation in pixels, by a Gaussian that ends after so many of them.</summary>
    public static void Blur(ImageView image, double sigma, Span<byte> result, double truncate = GaussianFilter.Truncate)
    {
        using var pixels = Planes.Of(image, GaussianFilter.Radius(sigma, truncate));
        GaussianFilter.Blur(pixels, sigma, truncate);
        pixels.CutTo(result);
    }
}
