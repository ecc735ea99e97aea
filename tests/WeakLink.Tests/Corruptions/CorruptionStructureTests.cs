using WeakLink.Corruptions;

namespace WeakLink.Tests.Corruptions;

/// <summary>Random corruptions against the published images: the same structure, and no other severity's.</summary>
public sealed class CorruptionStructureTests
{
    private const int Draws = 6;

    // Hundreds of numbers are compared: three standard errors would be passed by chance.
    private const double StandardErrors = 4;

    // Motion blur is missing: there, an angle is found at which the images are the same.
    [Theory]
    [InlineData("gaussian_noise")]
    [InlineData("shot_noise")]
    [InlineData("impulse_noise")]
    [InlineData("speckle_noise")]
    [InlineData("glass_blur")]
    [InlineData("snow")]
    [InlineData("frost")]
    [InlineData("fog")]
    [InlineData("elastic_transform")]
    [InlineData("spatter")]
    public void OfEverySeverity_IsThePublishedOne_AndNoOthers(string name)
    {
        var set = PublishedImages.Cifar;
        var corruption = CommonCorruptions.Named(name)[0];
        var published = Corruption.AllSeverities.ToDictionary(severity => severity, severity => Measured(name, set, set.Published(corruption, severity)));
        foreach (var severity in Corruption.AllSeverities)
        {
            var ours = Enumerable.Range(0, Draws).Select(draw => Measured(name, set, set.Ours(corruption, severity, draw))).ToArray();
            var mismatch = Mismatch(name, published[severity], ours);
            Assert.True(mismatch is null, $"severity {severity}: {mismatch}");
            foreach (var other in Corruption.AllSeverities)
            {
                // A Gaussian of 0.05 pixels and one of 0.25 differ by single grey levels.
                var areTwins = name == "glass_blur" && severity + other == 3;
                Assert.True(other == severity || areTwins || Mismatch(name, published[other], ours) is not null, $"severity {severity} passes for {other}");
            }
        }
    }

    // Both are of the same clean images, so only the draws differ: the mean difference over the images is known to its own standard error.
    private static string? Mismatch(string name, IReadOnlyDictionary<string, double>[] published, IReadOnlyDictionary<string, double>[][] ours)
    {
        foreach (var feature in published[0].Keys)
        {
            // Frost's pictures of ice are drawn, but what it leaves of the image is as published.
            var tolerance = feature == CorruptionStructure.Kept ? 0.02 : name == "frost" ? 0.15 : 0.02;
            var differences = Enumerable.Range(0, published.Length).Select(i => ours.Average(draw => draw[i][feature]) - published[i][feature]).ToArray();
            var (expected, difference) = (published.Average(image => image[feature]), differences.Average());
            var error = Math.Sqrt(differences.Average(value => (value - difference) * (value - difference)) / differences.Length);
            if (Math.Abs(difference) > (tolerance * Math.Abs(expected)) + (StandardErrors * error))
            {
                return FormattableString.Invariant($"{feature} is {expected + difference:g5}, published {expected:g5}, standard error {error:g3}");
            }
        }

        return null;
    }

    private static IReadOnlyDictionary<string, double>[] Measured(string name, PublishedImages set, byte[][] corrupted) =>
        [.. set.Clean.Zip(corrupted, (clean, image) => CorruptionStructure.Of(name, clean, image))];
}
