using WeakLink.Comparisons;

namespace WeakLink.Tests.Comparisons;

public class DifferenceTests
{
    [Fact]
    public void SharedSeeds_ArePaired()
    {
        // Differences 1, 2 and 3: mean 2, standard deviation 1, t of two degrees of freedom.
        var difference = Difference.Between(Values((0, 11), (1, 22), (2, 33)), Values((0, 10), (1, 20), (2, 30)))!;
        Assert.Equal(IntervalMethod.Paired, difference.Method);
        Assert.Equal([0, 1, 2], difference.Seeds);
        Assert.Equal(2, difference.Mean, 1e-12);
        Assert.Equal(4.302653 / Math.Sqrt(3), difference.HalfWidth!.Value, 1e-5);
        Assert.True(difference.IncludesZero);
    }

    // The quantiles that every table of Student's distribution has for 95 % in both directions.
    [Theory]
    [InlineData(2, 12.7062)]
    [InlineData(3, 4.3027)]
    [InlineData(5, 2.7764)]
    [InlineData(10, 2.2622)]
    [InlineData(31, 2.0423)]
    public void Interval_IsStudentsT(int seeds, double expected)
    {
        var arm = Enumerable.Range(0, seeds).ToDictionary(seed => (long)seed, seed => (double)(seed * seed));
        var deviation = Math.Sqrt(arm.Values.Sum(value => Math.Pow(value - arm.Values.Average(), 2)) / (seeds - 1));
        var difference = Difference.Between(arm, arm.ToDictionary(pair => pair.Key, _ => 0.0))!;
        Assert.Equal(expected, difference.HalfWidth!.Value * Math.Sqrt(seeds) / deviation, 1e-4);
    }

    [Fact]
    public void ASeedThatOneArmLacks_IsLeftOutOfThePairs()
    {
        var difference = Difference.Between(Values((0, 1), (1, 3), (7, 100)), Values((0, 0), (1, 1), (2, -50)))!;
        Assert.Equal([0, 1], difference.Seeds);
        Assert.Equal(1.5, difference.Mean, 1e-12);
        Assert.Equal(12.7062 * Math.Sqrt(0.5) / Math.Sqrt(2), difference.HalfWidth!.Value, 1e-4);
    }

    [Fact]
    public void OtherSeeds_AreWelchs()
    {
        // Equal spreads and counts: Student's interval with four degrees of freedom.
        var equal = Difference.Between(Values((3, 4), (4, 5), (5, 6)), Values((0, 1), (1, 2), (2, 3)))!;
        Assert.Equal((IntervalMethod.Welch, 3), (equal.Method, equal.Mean));
        Assert.Equal(2.776445 * Math.Sqrt(2.0 / 3), equal.HalfWidth!.Value, 1e-5);
        Assert.False(equal.IncludesZero);

        // One arm without any spread: the degrees of freedom of the other.
        var one = Difference.Between(Values((3, 4), (4, 5), (5, 6)), Values((0, 1), (1, 1), (2, 1), (6, 1)))!;
        Assert.Equal(4.302653 / Math.Sqrt(3), one.HalfWidth!.Value, 1e-5);
    }

    [Fact]
    public void OneSeed_HasNoInterval()
    {
        foreach (var baseline in new[] { Values((0, 1)), Values((1, 1)), Values((1, 1), (2, 1)) })
        {
            var difference = Difference.Between(Values((0, 3)), baseline)!;
            Assert.Equal((IntervalMethod.None, 2), (difference.Method, difference.Mean));
            Assert.Null(difference.HalfWidth);
            Assert.Null(difference.IncludesZero);
        }
    }

    [Fact]
    public void WhatWasNotMeasured_HasNoDifference() => Assert.Null(Difference.Between(Values(), Values((0, 1))));

    [Fact]
    public void NoSpreadAtAll_IsExact()
    {
        Assert.Equal(0, Difference.Between(Values((0, 3), (1, 3)), Values((0, 1), (1, 1)))!.HalfWidth);
        Assert.Equal(0, Difference.Between(Values((0, 3), (1, 3)), Values((2, 1), (3, 1)))!.HalfWidth);
    }

    // Of runs that differ by luck alone, nineteen in twenty intervals include 0: 4,000 of them, so 0.95 ± 0.014 (four standard errors).
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NineteenInTwentyIntervals_HoldTheTruth(bool paired)
    {
        const int Trials = 4000;
        var random = new SeededRandom(5, RandomUse.Shuffle);
        var held = Enumerable.Range(0, Trials).Count(_ =>
        {
            var seeds = Enumerable.Range(0, 3).Select(_ => 10 * random.NextNormal()).ToList();
            Dictionary<long, double> Draw(int first) => Enumerable.Range(0, 3).ToDictionary(i => (long)first + i, i => (paired ? seeds[i] : 0) + random.NextNormal());
            return Difference.Between(Draw(0), Draw(paired ? 0 : 10))!.IncludesZero == true;
        });
        // Welch's approximation errs to the safe side with so few runs.
        Assert.InRange((double)held / Trials, 0.936, paired ? 0.964 : 0.98);
    }

    private static Dictionary<long, double> Values(params (long Seed, double Value)[] values) => values.ToDictionary(value => value.Seed, value => value.Value);
}
