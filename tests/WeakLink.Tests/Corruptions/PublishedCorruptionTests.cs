using WeakLink.Corruptions;
using WeakLink.Imaging;

namespace WeakLink.Tests.Corruptions;

/// <summary>Our corruptions against the published code's images (Reference/cifar10-c and imagenet-c).</summary>
public sealed class PublishedCorruptionTests
{
    public static TheoryData<string> Deterministic =>
        ["defocus_blur", "gaussian_blur", "zoom_blur", "contrast", "brightness", "saturate", "pixelate"];

    public static TheoryData<string> Random =>
    [
        "gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "glass_blur", "motion_blur", "snow", "frost", "fog", "elastic_transform", "spatter",
    ];

    [Theory]
    [MemberData(nameof(Deterministic))]
    public void Deterministic_EqualWithinOneGreyLevel(string name)
    {
        foreach (var set in (PublishedImages[])[PublishedImages.Cifar, PublishedImages.ImageNet])
        {
            ForEverySeverity(set, name, (corruption, severity) =>
            {
                var (published, ours) = (set.Published(corruption, severity), set.Ours(corruption, severity));
                var within = ours.Zip(published).Average(pair => Within(pair.First, pair.Second));
                Assert.True(within >= 0.99, $"{set.Size} {name} {severity}: {within:p2} within one grey level");
            });
        }
    }

    [Fact]
    public void Jpeg_EqualWithin35Decibels()
    {
        foreach (var set in (PublishedImages[])[PublishedImages.Cifar, PublishedImages.ImageNet])
        {
            ForEverySeverity(set, "jpeg_compression", (corruption, severity) =>
            {
                var (published, ours) = (set.Published(corruption, severity), set.Ours(corruption, severity));
                var error = ours.Zip(published).Average(pair => pair.First.Zip(pair.Second).Average(values => Math.Pow(values.First - values.Second, 2)));
                Assert.True(error == 0 || 10 * Math.Log10(255 * 255 / error) >= 35, $"{set.Size} {severity}: mean squared error {error}");
            });
        }
    }

    // Mean and spread over the images of the mean absolute difference from the clean image. The images are the same, so only the
    // draws differ: on top of the 5 % come three standard deviations of what our own draws have, one draw of all images after the other.
    [Theory]
    [MemberData(nameof(Random))]
    public void Random_HaveTheSameErrors_Cifar(string name)
    {
        var set = PublishedImages.Cifar;
        ForEverySeverity(set, name, (corruption, severity) =>
        {
            var published = Errors(set.Clean, set.Published(corruption, severity));
            var draws = Enumerable.Range(0, 20).Select(draw => Errors(set.Clean, set.Ours(corruption, severity, draw))).ToList();
            var tolerance = name == "frost" ? 0.15 : 0.05;
            AssertDrawn(published.Average(), [.. draws.Select(errors => errors.Average())], tolerance, $"mean, severity {severity}");
            AssertDrawn(Deviation(published), [.. draws.Select(Deviation)], tolerance, $"spread, severity {severity}");
        });
    }

    // Two photographs: where the draws vary much, such as the clouds of fog, the allowance for them is all that counts.
    [Theory]
    [MemberData(nameof(Random))]
    public void Random_HaveTheSameErrors_ImageNet(string name)
    {
        var set = PublishedImages.ImageNet;
        ForEverySeverity(set, name, (corruption, severity) =>
        {
            var published = Errors(set.Clean, set.Published(corruption, severity));
            var draws = Enumerable.Range(0, 12).Select(draw => Errors(set.Clean, set.Ours(corruption, severity, draw))).ToList();
            var tolerance = name == "frost" ? 0.15 : 0.05;
            AssertDrawn(published.Average(), [.. draws.Select(errors => errors.Average())], tolerance, $"mean, severity {severity}");
            AssertDrawn(published[0] - published[1], [.. draws.Select(errors => errors[0] - errors[1])], tolerance, $"difference of the two, severity {severity}");
        });
    }

    // Two photographs say little about the ice, but what is left of them under it is exact.
    [Fact]
    public void Frost_LeavesWhatThePublishedOneLeaves_ImageNet()
    {
        var set = PublishedImages.ImageNet;
        ForEverySeverity(set, "frost", (corruption, severity) =>
        {
            double Kept(byte[][] corrupted) => set.Clean.Zip(corrupted, (clean, image) => CorruptionStructure.KeptOf(clean, image, set.Size)).Average();
            AssertNear(Kept(set.Published(corruption, severity)), Enumerable.Range(0, 4).Average(draw => Kept(set.Ours(corruption, severity, draw))), 0.03, $"kept, severity {severity}");
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void MotionBlur_SomeDirectionReproducesEveryImage(bool isPublished)
    {
        var set = PublishedImages.Cifar;
        var corruption = CommonCorruptions.Named("motion_blur")[0];
        (int Radius, double Sigma)[] levels = [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)];
        for (var severity = 1; severity <= 5; severity++)
        {
            var (radius, sigma) = levels[severity - 1];
            var blurred = isPublished ? set.Published(corruption, severity) : set.Ours(corruption, severity);
            for (var i = 0; i < 10; i++)
            {
                var best = Enumerable.Range(-90, 181).Max(halfDegrees =>
                {
                    using var pixels = Planes.Of(new ImageView(set.Clean[i], 32, 32), MotionFilter.Reach(radius));
                    using var moved = MotionFilter.Apply(pixels, radius, sigma, halfDegrees / 2.0);
                    var ours = new byte[3 * 32 * 32];
                    moved.CutTo(ours);
                    return Within(ours, blurred[i]);
                });
                Assert.True(best > 0.99, $"severity {severity}, image {i}: {best:p1} of the pixels at the best angle");
            }
        }
    }

    // The lag-1 autocorrelation of what was added: white for noise, long for fog.
    [Theory]
    [InlineData("gaussian_noise")]
    [InlineData("shot_noise")]
    [InlineData("speckle_noise")]
    [InlineData("impulse_noise")]
    [InlineData("fog")]
    [InlineData("snow")]
    public void Random_HaveTheSameSpectrum(string name)
    {
        var set = PublishedImages.Cifar;
        ForEverySeverity(set, name, (corruption, severity) =>
        {
            var (published, ours) = (set.Published(corruption, severity), set.Ours(corruption, severity));
            AssertNear(Autocorrelation(set.Clean, published, 1), Autocorrelation(set.Clean, ours, 1), 0.05, $"lag 1, severity {severity}");
            AssertNear(Autocorrelation(set.Clean, published, 32), Autocorrelation(set.Clean, ours, 32), 0.05, $"lag of a row, severity {severity}");
        });
    }

    private static void ForEverySeverity(PublishedImages set, string name, Action<Corruption, int> check)
    {
        Assert.NotEmpty(set.Clean);
        var corruption = CommonCorruptions.Named(name)[0];
        for (var severity = 1; severity <= Corruption.Severities; severity++)
        {
            check(corruption, severity);
        }
    }

    private static double Within(byte[] a, byte[] b) => a.Zip(b).Average(pair => Math.Abs(pair.First - pair.Second) <= 1 ? 1.0 : 0);

    private static List<double> Errors(IReadOnlyList<byte[]> clean, byte[][] corrupted) =>
        [.. clean.Zip(corrupted, Error)];

    private static double Error(byte[] clean, byte[] corrupted)
    {
        var sum = 0L;
        for (var i = 0; i < clean.Length; i++)
        {
            sum += Math.Abs(clean[i] - corrupted[i]);
        }

        return (double)sum / clean.Length;
    }

    private static double Deviation(List<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    // The published value is one draw, ours the mean of several.
    private static void AssertDrawn(double published, List<double> draws, double tolerance, string what)
    {
        var deviation = Deviation(draws) * Math.Sqrt((draws.Count + 1.0) / (draws.Count - 1.0));
        AssertNear(published, draws.Average(), (tolerance * Math.Abs(published)) + (3 * deviation), what);
    }

    private static double Autocorrelation(IReadOnlyList<byte[]> clean, byte[][] corrupted, int lag) => clean.Zip(corrupted).Average(pair =>
    {
        var added = pair.First.Zip(pair.Second).Select(values => (double)values.Second - values.First).ToArray();
        var mean = added.Average();
        var (products, squares) = (0.0, 0.0);
        for (var i = 0; i < added.Length - lag; i++)
        {
            products += (added[i] - mean) * (added[i + lag] - mean);
            squares += (added[i] - mean) * (added[i] - mean);
        }

        return products / squares;
    });

    private static void AssertNear(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, FormattableString.Invariant($"{what}: {actual:0.000}, published {expected:0.000}, tolerance {tolerance:0.000}"));
}
