using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>
/// AugMix (Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan, ICLR 2020): several chains of operators, each beginning at the
/// image, mixed with random weights (Dirichlet), and their mixture with the image (Beta). The mixture is summed up in single precision
/// and rounded to bytes once, at the end; the authors' code, which mixes what is fed to the network, doesn't round. Everything else is
/// as there: pixels are moved with linear interpolation, what comes in from outside is black, degrees and pixels are whole numbers. By
/// default no operator overlaps with the corruption benchmarks.
/// </summary>
/// <param name="Width">Chains, at least 1.</param>
/// <param name="Depth">Operators in each chain; 0 draws 1, 2 or 3 for each.</param>
/// <param name="Severity">The upper end of the strengths, which are uniform from 0.1 on; above 0, at most 10. The paper: 3 for CIFAR, 1 for ImageNet.</param>
/// <param name="Coefficient">Of the Dirichlet and the Beta distribution, above 0; 1 makes both uniform.</param>
/// <param name="AllOperators">Also color, contrast, brightness and sharpness, which overlap with the corruption benchmarks.</param>
public sealed record AugMix(int Width = 3, int Depth = 0, double Severity = 3, double Coefficient = 1, bool AllOperators = false) : Augmentation
{
    private const double Strongest = 10;
    private const int DeepestDrawn = 3;

    /// <summary>The authors' thirteen, those that overlap with the benchmarks last.</summary>
    internal static readonly Operator[] Operators =
    [
        Operator.AutoContrast, Operator.Equalize, Operator.Posterize, Operator.Rotate, Operator.Solarize,
        Operator.ShearX, Operator.ShearY, Operator.TranslateX, Operator.TranslateY,
        Operator.Color, Operator.Contrast, Operator.Brightness, Operator.Sharpness,
    ];

    /// <summary>How many of them don't overlap.</summary>
    internal const int Apart = 9;

    /// <summary>Chains, at least 1.</summary>
    public int Width { get; init; } = Width > 0 ? Width : throw new ArgumentOutOfRangeException(nameof(Width), Width, "AugMix needs at least one chain.");

    /// <summary>The upper end of the strengths, above 0, at most 10.</summary>
    public double Severity { get; init; } = Severity is > 0 and <= Strongest
        ? Severity
        : throw new ArgumentOutOfRangeException(nameof(Severity), Severity, "AugMix's severity must be above 0 and at most 10.");

    /// <summary>Of the Dirichlet and the Beta distribution, above 0.</summary>
    public double Coefficient { get; init; } = Coefficient > 0
        ? Coefficient
        : throw new ArgumentOutOfRangeException(nameof(Coefficient), Coefficient, "AugMix's coefficient must be above 0.");

    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        Span<double> weights = Width <= 64 ? stackalloc double[Width] : new double[Width];
        var kept = Weights(weights, random);
        image.Keep();
        var sums = image.Sums;
        Mixing.Start(image.Pixels, (float)kept, sums);
        foreach (var weight in weights)
        {
            image.Restore();
            Chain(image, random);
            Mixing.Add(image.Pixels, (float)weight, sums);
        }

        Mixing.Round(sums, image.Pixels);
    }

    /// <summary>Draws what is mixed.</summary>
    /// <param name="weights">Receives the chains' weights.</param>
    /// <param name="random">Random numbers.</param>
    /// <returns>The image's own weight: together they are 1.</returns>
    internal double Weights(Span<double> weights, SeededRandom random)
    {
        random.NextDirichlet(Coefficient, weights);
        var mixed = random.NextBeta(Coefficient, Coefficient);
        TensorPrimitives.Multiply(weights, mixed, weights);
        return 1 - mixed;
    }

    /// <summary>Applies one chain.</summary>
    internal void Chain(ImageBuffer image, SeededRandom random)
    {
        var depth = Depth > 0 ? Depth : random.Next(1, DeepestDrawn + 1);
        for (var i = 0; i < depth; i++)
        {
            Draw(random, image.Height, image.Width).Apply(image, Resampling.Linear, outside: 0);
        }
    }

    internal Operation Draw(SeededRandom random, int height, int width)
    {
        var kind = Operators[random.Next(AllOperators ? Operators.Length : Apart)];
        return new Operation(kind, kind switch
        {
            Operator.Posterize => 4 - Whole(4, random),
            Operator.Rotate => Signed(Whole(30, random), random),
            Operator.Solarize => 256 - Whole(256, random),
            Operator.ShearX or Operator.ShearY => Signed(Share(0.3, random), random),
            Operator.TranslateX => Signed(Whole(width / 3.0, random), random),
            Operator.TranslateY => Signed(Whole(height / 3.0, random), random),
            Operator.Color or Operator.Contrast or Operator.Brightness or Operator.Sharpness => Share(1.8, random) + 0.1,
            _ => 0,
        });
    }

    private double Share(double strongest, SeededRandom random) => random.NextDouble(0.1, Severity) * strongest / Strongest;

    private double Whole(double strongest, SeededRandom random) => Math.Truncate(Share(strongest, random));

    private static double Signed(double value, SeededRandom random) => random.NextBool() ? -value : value;
}
