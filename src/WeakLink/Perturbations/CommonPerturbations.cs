using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>
/// The published perturbations, by name, with the strengths of <c>make_cifar_p.py</c>, <c>make_tinyimagenet_p.py</c> and
/// <c>make_imagenet_p.py</c> (hendrycks/robustness).
/// </summary>
public static class CommonPerturbations
{
    /// <summary>The 10 of the benchmark, then the extra ones: other kinds, and stronger noise.</summary>
    public static IReadOnlyList<Perturbation> All { get; } =
    [
        new NoiseSequence<double>("gaussian_noise", GaussianNoise.Add, 0.02, 0.025, 0.03),
        new NoiseSequence<int>("shot_noise", ShotNoise.Count, 700, 500, 300),
        new FilterSequence("motion_blur", table => table == SeverityTable.Cifar ? 21 : 31, MotionBlurFrame),
        new ZoomBlurSequence(),
        new SnowSequence(),
        new FilterSequence("brightness", Always31, (image, table, frame, result) =>
            Brightness.Brighten(image, (frame - 15) * (table == SeverityTable.Cifar ? 1.5 : 2) / 100, result)),
        new AffineSequence("translate", TranslateFrames, wholePixels: true, (table, frame, height, width) =>
            AffineMap.Around(height, width, right: frame - (table == SeverityTable.Cifar ? 7 : table == SeverityTable.TinyImageNet ? 15 : 20))),
        new AffineSequence("rotate", Always31, wholePixels: false, (_, frame, height, width) => AffineMap.Around(height, width, angle: frame - 15)),
        new TiltSequence(),
        new AffineSequence("scale", Always31, wholePixels: false, (table, frame, height, width) =>
            AffineMap.Around(height, width, scale: (table == SeverityTable.Cifar ? (2 * frame) + 70 : (2.5 * frame) + 40) / 100)),
        new NoiseSequence<double>("speckle_noise", SpeckleNoise.Add, 0.05, 0.05, 0.05, heldOut: true),
        new FilterSequence("gaussian_blur", Always31, GaussianBlurFrame, heldOut: true),
        new SpatterSequence(),
        new AffineSequence("shear", Always31, wholePixels: false, (_, frame, height, width) => AffineMap.Around(height, width, shear: frame - 15), heldOut: true),
        new NoiseSequence<double>("gaussian_noise_2", GaussianNoise.Add, 0.04, 0.05, 0.05, heldOut: true),
        new NoiseSequence<double>("gaussian_noise_3", GaussianNoise.Add, 0.06, 0.075, 0.08, heldOut: true),
        new NoiseSequence<int>("shot_noise_2", ShotNoise.Count, 400, 250, 120, heldOut: true),
        new NoiseSequence<int>("shot_noise_3", ShotNoise.Count, 200, 125, 60, heldOut: true),
        new NoiseSequence<double>("speckle_noise_2", SpeckleNoise.Add, 0.07, 0.1, 0.1, heldOut: true),
        new NoiseSequence<double>("speckle_noise_3", SpeckleNoise.Add, 0.1, 0.15, 0.15, heldOut: true),
    ];

    /// <summary>The 10 that benchmark numbers are means of.</summary>
    public static IReadOnlyList<Perturbation> Benchmark { get; } = [.. All.Where(perturbation => !perturbation.HeldOut)];

    /// <summary>Perturbations by name.</summary>
    /// <param name="names">"benchmark" (the 10), "all", or names with commas between them.</param>
    /// <exception cref="InputException">No such perturbation.</exception>
    public static IReadOnlyList<Perturbation> Named(string names) => names switch
    {
        "all" => All,
        "benchmark" => Benchmark,
        _ => [.. names.Split(',', StringSplitOptions.TrimEntries).Select(Find).Distinct()],
    };

    private static Perturbation Find(string name)
    {
        var wanted = name.Replace('-', '_').Replace(' ', '_');
        return All.FirstOrDefault(perturbation => perturbation.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            ?? throw new InputException(
                $"There is no perturbation '{name}' (did you mean '{Nearest.To(wanted, All.Select(perturbation => perturbation.Name))}'?): choose benchmark, all, or some of {string.Join(", ", All.Select(perturbation => perturbation.Name))}.");
    }

    private static int Always31(SeverityTable table) => 31;

    private static int TranslateFrames(SeverityTable table) => table switch
    {
        SeverityTable.Cifar => 16,
        SeverityTable.TinyImageNet => 31,
        _ => 41,
    };

    // Tiny-ImageNet's blur the photograph before it is made small (radius 14, sigma 3, 5 degrees a frame). Here the small image is all
    // there is: CIFAR's blur, turned as Tiny-ImageNet's.
    private static void MotionBlurFrame(ImageView image, SeverityTable table, int frame, Span<byte> result)
    {
        var (radius, sigma, angle) = table switch
        {
            SeverityTable.Cifar => (6, 1.8, (frame - 20) * 9),
            SeverityTable.TinyImageNet => (6, 1.8, (frame - 30) * 5),
            _ => (10, 3, (frame - 30) * 4),
        };
        MotionBlur.Move(image, radius, sigma, angle, result);
    }

    private static void GaussianBlurFrame(ImageView image, SeverityTable table, int frame, Span<byte> result)
    {
        var (first, step, truncate) = table switch
        {
            SeverityTable.Cifar => (0.3, 0.015, 7),
            SeverityTable.TinyImageNet => (0.35, 0.014, 7),
            _ => (0.25, 0.035, 6),
        };
        GaussianBlur.Blur(image, first + (step * frame), result, truncate);
    }
}
