using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

/// <summary>AutoAugment, RandAugment and TrivialAugment draw what was published.</summary>
public sealed class PolicyTests
{
    private static readonly Operator[] Fourteen =
    [
        Operator.Identity, Operator.AutoContrast, Operator.Equalize, Operator.Rotate, Operator.Solarize, Operator.Color, Operator.Posterize,
        Operator.Contrast, Operator.Brightness, Operator.Sharpness, Operator.ShearX, Operator.ShearY, Operator.TranslateX, Operator.TranslateY,
    ];

    // Sums over the published tables: of all probabilities and of all levels (torchvision's lists for the former).
    [Theory]
    [InlineData(AutoAugmentPolicy.Cifar10, 26.5, 267)]
    [InlineData(AutoAugmentPolicy.ImageNet, 31.0, 287)]
    [InlineData(AutoAugmentPolicy.Svhn, 32.9, 231)]
    public void AutoAugment_HasThePublishedTables(AutoAugmentPolicy policy, double probabilities, int levels)
    {
        var all = SubPolicy.Of(policy);
        Assert.Equal(25, all.Count);
        Assert.Equal(probabilities, all.Sum(pair => pair.FirstProbability + pair.SecondProbability), 1e-9);
        Assert.Equal(levels, all.Sum(pair => pair.FirstLevel + pair.SecondLevel));
    }

    [Theory]
    [InlineData(AutoAugmentPolicy.Cifar10)]
    [InlineData(AutoAugmentPolicy.ImageNet)]
    [InlineData(AutoAugmentPolicy.Svhn)]
    public void AutoAugment_DrawsEachSubPolicyWithItsProbabilities(AutoAugmentPolicy policy)
    {
        var expected = new Dictionary<(Operator, Operator), double>();
        foreach (var pair in SubPolicy.Of(policy))
        {
            foreach (var (first, p) in new[] { (pair.First, pair.FirstProbability), (Operator.Identity, 1 - pair.FirstProbability) })
            {
                foreach (var (second, q) in new[] { (pair.Second, pair.SecondProbability), (Operator.Identity, 1 - pair.SecondProbability) })
                {
                    if (p * q > 0)
                    {
                        expected[(first, second)] = expected.GetValueOrDefault((first, second)) + (p * q / 25);
                    }
                }
            }
        }

        var random = new SeededRandom(5, RandomUse.Augmentation);
        var draws = Enumerable.Range(0, 100_000).Select(_ => new AutoAugment(policy).Draw(random, 32, 32));
        Samples.AssertDistribution(draws.Select(pair => (pair.First.Operator, pair.Second.Operator)), expected);
    }

    // The published ranges at level 9 and in between, for an image of 331 x 662 pixels, in which translations are 150 and 300 pixels.
    [Theory]
    [InlineData("ShearX", 9, 0.3, -0.3)]
    [InlineData("ShearY", 3, 0.1, -0.1)]
    [InlineData("TranslateX", 9, 300, -300)]
    [InlineData("TranslateY", 3, 50, -50)]
    [InlineData("Rotate", 9, 30, -30)]
    [InlineData("Color", 9, 1.9, 0.1)]
    [InlineData("Contrast", 5, 1.5, 0.5)]
    [InlineData("Brightness", 0, 1, 1)]
    [InlineData("Sharpness", 2, 1.2, 0.8)]
    [InlineData("Posterize", 0, 8, 8)]
    [InlineData("Posterize", 1, 8, 8)]
    [InlineData("Posterize", 4, 6, 6)]
    [InlineData("Posterize", 9, 4, 4)]
    [InlineData("Solarize", 0, 256, 256)]
    [InlineData("Solarize", 5, 113.777777778, 113.777777778)]
    [InlineData("Solarize", 9, 0, 0)]
    [InlineData("Invert", 7, 0, 0)]
    public void AutoAugment_Strengths(string name, int level, double up, double down)
    {
        var kind = Enum.Parse<Operator>(name);
        var pair = new SubPolicy(kind, 1, level, Operator.Equalize, 0, 0);
        var random = new SeededRandom(6, RandomUse.Augmentation);
        var draws = Enumerable.Range(0, 4000).Select(_ => pair.Draw(random, 331, 662)).ToList();
        Assert.All(draws, draw => Assert.Equal((kind, Operator.Identity), (draw.First.Operator, draw.Second.Operator)));
        Samples.AssertDistribution(draws.Select(draw => Math.Round(draw.First.Parameter, 9)), Samples.Uniform(new[] { up, down }.Distinct()));
    }

    // By hand: two pixels to the left or right (1.81, to the nearest), grey comes in, and the next operator sees it.
    [Fact]
    public void AutoAugment_ASubPolicyByHand()
    {
        byte[] row = [10, 60, 110, 240];
        byte[] image = [.. row, .. row, .. row];
        var (left, right) = ((byte[])[110, 15, 127, 127], (byte[])[127, 127, 10, 60]);
        var seen = new HashSet<string>();
        for (var index = 0; index < 20; index++)
        {
            var random = new SeededRandom(7, RandomUse.Augmentation, 0, index);
            var buffer = Samples.Buffer(image, 1, 4);
            var (first, second) = new SubPolicy(Operator.TranslateX, 1, 9, Operator.Solarize, 1, 5).Draw(random, 1, 4);
            first.Apply(buffer, Resampling.Nearest, AutoAugmentScale.Outside);
            second.Apply(buffer, Resampling.Nearest, AutoAugmentScale.Outside);
            Assert.Contains(buffer.Pixels[..4].ToArray(), new[] { left, right });
            seen.Add(Convert.ToHexString(buffer.Pixels));
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public void AutoAugment_AppliesWhatItDraws()
    {
        var image = Samples.Image(20, 31);
        var different = 0;
        for (var index = 0; index < 300; index++)
        {
            var augmentation = new AutoAugment((AutoAugmentPolicy)(index % 3));
            var (first, second) = augmentation.Draw(new SeededRandom(11, RandomUse.Augmentation, 0, index), 20, 31);
            var expected = Samples.Operated(second.Operator, second.Parameter, Samples.Operated(first.Operator, first.Parameter, image, 20, 31, outside: 128), 20, 31, outside: 128);
            Assert.Equal(expected, Samples.Augmented(augmentation, image, 20, 31, index));
            different += expected.AsSpan().SequenceEqual(image) ? 0 : 1;
        }

        Assert.InRange(different, 150, 299);
    }

    [Fact]
    public void RandAugment_DrawsItsFourteenOperatorsAtOneStrength()
    {
        var random = new SeededRandom(8, RandomUse.Augmentation);
        var draws = Enumerable.Range(0, 60_000).Select(_ => new RandAugment(2, 15).Draw(random, 331, 662)).ToList();
        Samples.AssertDistribution(draws.Select(draw => draw.Operator), Samples.Uniform(Fourteen));
        Dictionary<Operator, double[]> expected = new()
        {
            [Operator.Rotate] = [15, -15],
            [Operator.ShearX] = [0.15, -0.15],
            [Operator.ShearY] = [0.15, -0.15],
            [Operator.TranslateX] = [150, -150],
            [Operator.TranslateY] = [75, -75],
            [Operator.Color] = [1.45, 0.55],
            [Operator.Contrast] = [1.45, 0.55],
            [Operator.Brightness] = [1.45, 0.55],
            [Operator.Sharpness] = [1.45, 0.55],
            [Operator.Posterize] = [6],
            [Operator.Solarize] = [128],
        };
        foreach (var (kind, parameters) in expected)
        {
            Samples.AssertDistribution(draws.Where(draw => draw.Operator == kind).Select(draw => Math.Round(draw.Parameter, 9)), Samples.Uniform(parameters));
        }
    }

    [Fact]
    public void RandAugment_OfMagnitudeZero_ChangesContrastAtMost()
    {
        // Autocontrast and equalization have no strength; they leave an image of two levels, black and white, as it is.
        var image = Samples.Image(9, 17).Select(level => (byte)(level < 100 ? 0 : 255)).ToArray();
        for (var index = 0; index < 200; index++)
        {
            Assert.Equal(image, Samples.Augmented(new RandAugment(5, 0), image, 9, 17, index));
        }

        Assert.NotEqual(image, Samples.Augmented(new RandAugment(5, 20), image, 9, 17));
        Assert.Equal(image, Samples.Augmented(new RandAugment(0, 20), image, 9, 17));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(31)]
    public void RandAugment_MagnitudeOutOfRange_Throws(int magnitude) => Assert.Throws<ArgumentOutOfRangeException>(() => new RandAugment(2, magnitude));

    [Fact]
    public void TrivialAugment_DrawsItsFourteenOperatorsAtAllStrengths()
    {
        var random = new SeededRandom(9, RandomUse.Augmentation);
        var draws = Enumerable.Range(0, 400_000).Select(_ => TrivialAugment.Draw(random)).ToList();
        Samples.AssertDistribution(draws.Select(draw => draw.Operator), Samples.Uniform(Fourteen));
        var levels = Enumerable.Range(0, 31).ToList();
        foreach (var kind in (Operator[])[Operator.ShearX, Operator.ShearY])
        {
            Check(kind, level => 0.033 * level, signed: true);
        }

        Check(Operator.TranslateX, level => Math.Floor(32 * level / 30.0), signed: true);
        Check(Operator.TranslateY, level => Math.Floor(32 * level / 30.0), signed: true);
        Check(Operator.Rotate, level => Math.Floor(4.5 * level), signed: true);
        Check(Operator.Posterize, level => 8 - Math.Floor(0.2 * level + 1e-9));
        Check(Operator.Solarize, level => 256 - Math.Floor(256 * level / 30.0));
        foreach (var kind in (Operator[])[Operator.Color, Operator.Contrast, Operator.Brightness, Operator.Sharpness])
        {
            Check(kind, level => 0.01 + (1.99 * level / 30));
        }

        void Check(Operator kind, Func<int, double> parameter, bool signed = false)
        {
            var expected = levels.SelectMany(level => signed ? new[] { parameter(level), -parameter(level) } : [parameter(level)])
                .Select(value => Math.Round(value, 6) + 0.0).ToList();
            var probabilities = expected.GroupBy(value => value).ToDictionary(group => group.Key, group => (double)group.Count() / expected.Count);
            Samples.AssertDistribution(draws.Where(draw => draw.Operator == kind).Select(draw => Math.Round(draw.Parameter, 6) + 0.0), probabilities);
        }
    }
}
