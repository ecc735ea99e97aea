using WeakLink.Augmentations;
using WeakLink.Imaging;

namespace WeakLink.Tests.Augmentations;

public sealed class AugMixTests
{
    private static readonly Operator[] Overlapping = [Operator.Color, Operator.Contrast, Operator.Brightness, Operator.Sharpness];

    [Theory]
    [InlineData(3, 0, 1)]
    [InlineData(1, 4, 1)]
    [InlineData(5, 2, 0.2)]
    public void Mixture_IsTheWeightedSumOfItsChains_BetweenTheirExtremes(int width, int depth, double coefficient)
    {
        var augmentation = new AugMix(width, depth, 3, coefficient, AllOperators: true);
        var image = Samples.Image(13, 22);
        var changed = 0;
        for (var index = 0; index < 200; index++)
        {
            var random = new SeededRandom(11, RandomUse.Augmentation, 0, index);
            var weights = new double[width];
            var parts = new List<(double Weight, byte[] Pixels)> { (augmentation.Weights(weights, random), image) };
            foreach (var weight in weights)
            {
                var buffer = Samples.Buffer(image, 13, 22);
                augmentation.Chain(buffer, random);
                parts.Add((weight, buffer.Pixels.ToArray()));
            }

            Assert.Equal(1, parts.Sum(part => part.Weight), 1e-12);
            Assert.All(parts, part => Assert.InRange(part.Weight, 0, 1));
            var mixture = Samples.Augmented(augmentation, image, 13, 22, index);
            changed += mixture.AsSpan().SequenceEqual(image) ? 0 : 1;
            for (var i = 0; i < image.Length; i++)
            {
                Assert.InRange(mixture[i], parts.Min(part => part.Pixels[i]), parts.Max(part => part.Pixels[i]));
                Assert.Equal(parts.Sum(part => part.Weight * part.Pixels[i]), mixture[i], 0.5001);
            }
        }

        Assert.True(changed > 150, $"{changed} of 200 images changed");
    }

    [Fact]
    public void MixtureOfOneImageWithItself_IsThatImage()
    {
        var image = Enumerable.Range(0, 3 * 256).Select(i => (byte)i).ToArray();
        var (sums, result) = (new float[image.Length], new byte[image.Length]);
        for (var index = 0; index < 500; index++)
        {
            var weights = new double[3];
            var kept = new AugMix(3).Weights(weights, new SeededRandom(1, RandomUse.Augmentation, 0, index));
            Mixing.Start(image, (float)kept, sums);
            Array.ForEach(weights, weight => Mixing.Add(image, (float)weight, sums));
            Mixing.Round(sums, result);
            Assert.Equal(image, result);
        }
    }

    [Fact]
    public void Weights_AreUniform_WithCoefficientOne()
    {
        var weights = new double[3];
        var random = new SeededRandom(2, RandomUse.Augmentation);
        var kept = new List<double>();
        var first = new List<double>();
        for (var i = 0; i < 20_000; i++)
        {
            kept.Add(new AugMix().Weights(weights, random));
            first.Add(weights[0] / weights.Sum());
        }

        Samples.AssertUniform(kept, 0, 1);
        // The share of the first of three: P(share > s) = (1 − s)².
        Samples.AssertUniform(first.Select(share => (1 - share) * (1 - share)), 0, 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Operators_AreEquallyLikely_NoneOfTheBenchmarkUnlessAskedFor(bool all)
    {
        var augmentation = new AugMix(AllOperators: all);
        var kinds = Draws(augmentation, 60_000).Select(operation => operation.Operator).ToList();
        Operator[] apart =
        [
            Operator.AutoContrast, Operator.Equalize, Operator.Posterize, Operator.Rotate, Operator.Solarize,
            Operator.ShearX, Operator.ShearY, Operator.TranslateX, Operator.TranslateY,
        ];
        Samples.AssertDistribution(kinds, Samples.Uniform(all ? [.. apart, .. Overlapping] : apart));
    }

    // Levels are uniform in 0.1 ... 3 of 10, then cut to whole numbers where the authors' code cuts.
    [Fact]
    public void Parameters_HaveThePublishedDistributions()
    {
        var draws = Draws(new AugMix(AllOperators: true), 300_000, height: 32, width: 64).ToLookup(operation => operation.Operator, operation => operation.Parameter);
        Samples.AssertDistribution(draws[Operator.Posterize], new Dictionary<double, double> { [4] = 2.4 / 2.9, [3] = 0.5 / 2.9 });
        Samples.AssertDistribution(draws[Operator.Rotate], Signed(WholeUpTo(3)));
        Samples.AssertDistribution(draws[Operator.TranslateX], Signed(WholeUpTo(6.4 / 3)));
        Samples.AssertDistribution(draws[Operator.TranslateY], Signed(WholeUpTo(3.2 / 3)));
        Samples.AssertDistribution(draws[Operator.Solarize].Select(threshold => 256 - threshold), WholeUpTo(25.6));
        foreach (var kind in (Operator[])[Operator.ShearX, Operator.ShearY])
        {
            Samples.AssertUniform(draws[kind].Select(Math.Abs), 0.003, 0.09);
            Samples.AssertDistribution(draws[kind].Select(Math.Sign), Samples.Uniform([-1, 1]));
        }

        foreach (var kind in Overlapping)
        {
            Samples.AssertUniform(draws[kind], 0.118, 0.64);
        }

        // What a whole number below scale × level becomes, for levels uniform in 0.1 ... 3.
        static Dictionary<double, double> WholeUpTo(double scale) => Enumerable.Range(0, (int)Math.Ceiling(3 * scale)).ToDictionary(
            whole => (double)whole,
            whole => Math.Max(Math.Min(whole + 1, 3 * scale) - Math.Max(whole, 0.1 * scale), 0) / (2.9 * scale)).Where(pair => pair.Value > 0).ToDictionary();

        static Dictionary<double, double> Signed(Dictionary<double, double> probabilities) =>
            probabilities.SelectMany(pair => pair.Key == 0 ? [pair] : new[] { new(pair.Key, pair.Value / 2), new KeyValuePair<double, double>(-pair.Key, pair.Value / 2) }).ToDictionary();
    }

    [Fact]
    public void Depth_IsOneToThree_EquallyOften()
    {
        // A chain's depth shows in what it leaves of the random numbers.
        var depths = Enumerable.Range(0, 3000).Select(index =>
        {
            var next = After(random => new AugMix().Chain(Samples.Buffer(Samples.Image(2, 2), 2, 2), random));
            return Enumerable.Range(1, 5).Single(depth => next == After(random =>
            {
                random.Next(3);
                for (var i = 0; i < depth; i++)
                {
                    new AugMix().Draw(random, 2, 2);
                }
            }));

            ulong After(Action<SeededRandom> draw)
            {
                var random = new SeededRandom(4, RandomUse.Augmentation, 0, index);
                draw(random);
                return random.NextBits();
            }
        });
        Samples.AssertDistribution(depths, Samples.Uniform([1, 2, 3]));
    }

    [Theory]
    [InlineData(0, 3, 1)]
    [InlineData(3, 0, 1)]
    [InlineData(3, 10.1, 1)]
    [InlineData(3, double.NaN, 1)]
    [InlineData(3, 3, 0)]
    public void SettingsOutOfRange_Throw(int width, double severity, double coefficient) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AugMix(width, 0, severity, coefficient));

    private static List<Operation> Draws(AugMix augmentation, int count, int height = 32, int width = 32)
    {
        var random = new SeededRandom(3, RandomUse.Augmentation);
        return [.. Enumerable.Range(0, count).Select(_ => augmentation.Draw(random, height, width))];
    }
}
