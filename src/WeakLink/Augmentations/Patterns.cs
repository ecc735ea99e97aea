using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>
/// One of three patterns over the image, of a random strength: plane waves, rings of waves around a point, or a checkerboard of grey. After "single frequency greyscale", "cocentric
/// sine waves" and "checkerboard cutout" of ImageNet-C̄ (Mintun, Kirillov and Xie, NeurIPS 2021), which were chosen to be unlike the corruptions of the benchmark: who trains on them
/// measures these as unseen ones still. (The four that its authors hold out are not: speckle noise is nearly shot noise, Gaussian blur nearly defocus blur.)
/// </summary>
/// <param name="Strongest">The upper end of the waves' amplitudes, in units of [0, 1], which are uniform from a tenth of it on; above 0, at most 1.</param>
public sealed record Patterns(double Strongest = 0.3) : Augmentation
{
    private const double Grey = 128;

    // As parts of the image's shorter side: from four waves in it on, but none of less than four pixels; squares from an eighth to a third of it.
    private const double LongestWave = 0.25, SmallestSquare = 0.125, LargestSquare = 1.0 / 3;
    private const double ShortestWave = 4;

    /// <summary>The upper end of the waves' amplitudes, above 0, at most 1.</summary>
    public double Strongest { get; init; } = Strongest is > 0 and <= 1
        ? Strongest
        : throw new ArgumentOutOfRangeException(nameof(Strongest), Strongest, "The amplitude must be above 0 and at most 1.");

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        switch (random.Next(3))
        {
            case 0:
                PlaneWaves(image, random);
                break;
            case 1:
                Rings(image, random);
                break;
            default:
                Checkerboard(image, random);
                break;
        }
    }

    // All channels alike.
    internal void PlaneWaves(ImageBuffer image, SeededRandom random)
    {
        var (amplitude, length, angle, phase) = (Amplitude(random), Length(image, random), random.NextDouble(0, Math.PI), Phase(random));
        var (down, right) = (Math.Sin(angle) * 2 * Math.PI / length, Math.Cos(angle) * 2 * Math.PI / length);
        Change(image, (_, y, x, value) => value + (amplitude * Math.Sin((down * y) + (right * x) + phase)));
    }

    // Channels have phases of their own.
    internal void Rings(ImageBuffer image, SeededRandom random)
    {
        var (amplitude, length) = (Amplitude(random), Length(image, random));
        var (top, left) = (random.NextDouble(0, image.Height), random.NextDouble(0, image.Width));
        double[] phases = [Phase(random), Phase(random), Phase(random)];
        Change(image, (channel, y, x, value) => value + (amplitude * Math.Sin((2 * Math.PI * Math.Sqrt(((y - top) * (y - top)) + ((x - left) * (x - left))) / length) + phases[channel])));
    }

    // Every other square is drawn towards grey.
    internal static void Checkerboard(ImageBuffer image, SeededRandom random)
    {
        var (part, angle) = (random.NextDouble(0.3, 1), random.NextDouble(0, Math.PI / 2));
        var side = Math.Min(image.Height, image.Width) * random.NextDouble(SmallestSquare, LargestSquare);
        var (top, left) = (random.NextDouble(0, 2 * side), random.NextDouble(0, 2 * side));
        var (sine, cosine) = Math.SinCos(angle);
        Change(image, (_, y, x, value) =>
        {
            var (row, column) = ((long)Math.Floor(((cosine * y) - (sine * x) + top) / side), (long)Math.Floor(((sine * y) + (cosine * x) + left) / side));
            return ((row ^ column) & 1) == 0 ? value : value + (part * (Grey - value));
        });
    }

    private double Amplitude(SeededRandom random) => byte.MaxValue * random.NextDouble(0.1, 1) * Strongest;

    private static double Length(ImageBuffer image, SeededRandom random)
    {
        var longest = Math.Min(image.Height, image.Width) * LongestWave;
        return random.NextDouble(ShortestWave, Math.Max(ShortestWave, longest));
    }

    private static double Phase(SeededRandom random) => random.NextDouble(0, 2 * Math.PI);

    private static void Change(ImageBuffer image, Func<int, int, int, double, double> change)
    {
        var pixels = image.Pixels;
        for (var (i, channel) = (0, 0); channel < ImageView.Channels; channel++)
        {
            for (var y = 0; y < image.Height; y++)
            {
                for (var x = 0; x < image.Width; x++, i++)
                {
                    pixels[i] = (byte)Math.Round(Math.Clamp(change(channel, y, x, pixels[i]), 0, byte.MaxValue));
                }
            }
        }
    }
}
