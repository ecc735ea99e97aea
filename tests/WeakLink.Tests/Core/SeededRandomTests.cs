namespace WeakLink.Tests.Core;

public class SeededRandomTests
{
    [Fact]
    public void SameFourNumbers_GiveTheSameSequence()
    {
        var a = new SeededRandom(1, RandomUse.Shuffle, 2, 3);
        var b = new SeededRandom(1, RandomUse.Shuffle, 2, 3);
        Assert.Equal(a.NextBits(), b.NextBits());
        Assert.Equal(a.NextBits(), b.NextBits());
    }

    [Fact]
    public void EachOfTheFourNumbers_ChangesTheSequence()
    {
        var first = new[]
        {
            new SeededRandom(1, RandomUse.Shuffle, 2, 3),
            new SeededRandom(2, RandomUse.Shuffle, 2, 3),
            new SeededRandom(1, RandomUse.Split, 2, 3),
            new SeededRandom(1, RandomUse.Shuffle, 3, 3),
            new SeededRandom(1, RandomUse.Shuffle, 2, 4),
        }.Select(random => random.NextBits());
        Assert.Equal(5, first.Distinct().Count());
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(31, 40)]
    [InlineData(64, 100)]
    [InlineData(77, 1)]
    public void AFillFromSomewhereOn_IsThatPartOfTheWhole(int first, int count)
    {
        var (whole, part) = (new float[200], new float[count]);
        new SeededRandom(1, RandomUse.Objective, 2, 3).FillNormal(whole);
        new SeededRandom(1, RandomUse.Objective, 2, 3).FillNormalFrom(first, part);
        Assert.Equal(whole[first..(first + count)], part);
    }

    [Fact]
    public void NeighbouringIndices_AreIndependentUniformDraws()
    {
        // First draws of 100,000 neighbouring sequences: mean 1/2 ± 5 standard errors, and no lag-1 correlation.
        var draws = Enumerable.Range(0, 100_000).Select(i => new SeededRandom(7, RandomUse.Augmentation, 0, i).NextDouble()).ToArray();
        Assert.InRange(draws.Average(), 0.5 - (5 * 0.2887 / 316.2), 0.5 + (5 * 0.2887 / 316.2));
        var correlation = draws.Zip(draws.Skip(1), (x, y) => (x - 0.5) * (y - 0.5)).Average() * 12;
        Assert.InRange(correlation, -5 / 316.2, 5 / 316.2);
    }

    [Fact]
    public void Gumbel_HasItsMeanAndVariance()
    {
        var random = new SeededRandom(3, RandomUse.Proposal);
        var draws = Enumerable.Range(0, 200_000).Select(_ => random.NextGumbel()).ToArray();
        var mean = draws.Average();
        Assert.All(draws, draw => Assert.True(double.IsFinite(draw)));
        Assert.InRange(mean, 0.5772 - 0.015, 0.5772 + 0.015); // Euler's constant
        Assert.InRange(draws.Select(x => (x - mean) * (x - mean)).Average(), 1.645 - 0.05, 1.645 + 0.05); // π²/6
    }

    [Fact]
    public void Shuffle_ReachesEveryOrderEquallyOften()
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 24_000; i++)
        {
            var items = new[] { 'a', 'b', 'c', 'd' };
            new SeededRandom(5, RandomUse.Shuffle, 0, i).Shuffle<char>(items);
            var order = new string(items);
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(24, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 850, 1150));
    }

    // Mean a / (a + b), variance ab / ((a + b)² (a + b + 1)).
    [Theory]
    [InlineData(1, 1)]
    [InlineData(0.2, 0.2)]
    [InlineData(2, 5)]
    [InlineData(0.5, 3)]
    [InlineData(40, 10)]
    public void Beta_HasItsMeanAndVariance(double first, double second)
    {
        var random = new SeededRandom(4, RandomUse.Augmentation);
        var draws = Enumerable.Range(0, 100_000).Select(_ => random.NextBeta(first, second)).ToArray();
        var (mean, sum) = (first / (first + second), first + second);
        var variance = first * second / (sum * sum * (sum + 1));
        Assert.All(draws, draw => Assert.InRange(draw, 0, 1));
        Assert.InRange(draws.Average(), mean - (5 * Math.Sqrt(variance / draws.Length)), mean + (5 * Math.Sqrt(variance / draws.Length)));
        Assert.InRange(draws.Average(draw => (draw - mean) * (draw - mean)) / variance, 0.97, 1.03);
    }

    // Each share: Beta of the concentration and as much for each of the others.
    [Theory]
    [InlineData(1)]
    [InlineData(0.1)]
    [InlineData(7.5)]
    public void Dirichlet_SharesAddUpToOne_WithTheirMeanAndVariance(double concentration)
    {
        var random = new SeededRandom(5, RandomUse.Augmentation);
        var shares = new double[4];
        var third = new double[60_000];
        for (var i = 0; i < third.Length; i++)
        {
            random.NextDirichlet(concentration, shares);
            Assert.Equal(1, shares.Sum(), 1e-12);
            third[i] = shares[2];
        }

        var variance = 0.25 * 0.75 / ((4 * concentration) + 1);
        Assert.InRange(third.Average(), 0.25 - (5 * Math.Sqrt(variance / third.Length)), 0.25 + (5 * Math.Sqrt(variance / third.Length)));
        Assert.InRange(third.Average(share => (share - 0.25) * (share - 0.25)) / variance, 0.97, 1.03);
    }

    // Gamma draws of such shapes are nearly all too small for a number; what counts is which is the largest.
    [Fact]
    public void Dirichlet_OfTinyConcentration_GivesAllToOne()
    {
        var random = new SeededRandom(6, RandomUse.Augmentation);
        var shares = new double[2];
        var first = 0;
        for (var i = 0; i < 2000; i++)
        {
            random.NextDirichlet(1e-4, shares);
            Assert.Equal(1, shares.Sum(), 1e-12);
            first += shares[0] > 0.5 ? 1 : 0;
            Assert.InRange(random.NextBeta(1e-4, 1e-4), 0, 1);
        }

        Assert.InRange(first, 900, 1100);
        Assert.Throws<ArgumentOutOfRangeException>(() => random.NextBeta(0, 1));
    }
}
