namespace WeakLink.Tests;

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
}
