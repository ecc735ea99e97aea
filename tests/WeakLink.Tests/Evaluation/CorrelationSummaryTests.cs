using WeakLink.Evaluation;

namespace WeakLink.Tests.Evaluation;

public class CorrelationSummaryTests
{
    private static readonly double[] Five = [1, 2, 3, 4, 5];

    // By hand: deviations (-2 ... 2) and (-1, -2, 1, 0, 2), so 8 / 10; and without ties 1 - 6 · 4 / (5 · 24) for the ranks.
    [Fact]
    public void BothCoefficients_AreThoseOfTheirClosedForms()
    {
        double[] y = [2, 1, 4, 3, 5];
        Assert.Equal(0.8, CorrelationSummary.Pearson(Five, y)!.Value, 12);
        Assert.Equal(0.8, CorrelationSummary.Spearman(Five, y)!.Value, 12);
        Assert.Equal(-1, CorrelationSummary.Pearson(Five, [.. Five.Select(x => 7 - (3 * x))])!.Value, 12);
        Assert.Equal(1, CorrelationSummary.Spearman(Five, [.. Five.Select(Math.Exp)])!.Value, 12);
        Assert.True(CorrelationSummary.Pearson(Five, [.. Five.Select(Math.Exp)])!.Value < 0.95);
    }

    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / √(4.5 · 5).
    [Fact]
    public void EqualValues_ShareTheMeanOfTheirRanks() =>
        Assert.Equal(4.5 / Math.Sqrt(22.5), CorrelationSummary.Spearman([10, 20, 20, 30], [1, 2, 3, 4])!.Value, 12);

    // atanh 0.8 = ln 3 and five pairs leave two degrees: ln 3 ± 1.959964 / √2, for ranks √1.06 times as far.
    [Fact]
    public void Interval_IsFishers()
    {
        double[] y = [2, 1, 4, 3, 5];
        var (pearson, spearman) = (CorrelationSummary.Pearson(Five, y)!, CorrelationSummary.Spearman(Five, y)!);
        Assert.Equal(Math.Tanh(Math.Log(3) - (1.959964 / Math.Sqrt(2))), pearson.Low!.Value, 9);
        Assert.Equal(Math.Tanh(Math.Log(3) + (1.959964 / Math.Sqrt(2))), pearson.High!.Value, 9);
        Assert.Equal(Math.Tanh(Math.Log(3) - (1.959964 * Math.Sqrt(1.06 / 2))), spearman.Low!.Value, 9);
        Assert.Equal("0.80 [-0.28, 0.99]", pearson.ToString());
        // A straight line through few points is no certainty: no interval, rather than one without width.
        Assert.Equal("1.00", CorrelationSummary.Pearson(Five, [.. Five.Select(x => 3 * x)])!.ToString());
    }

    // The interval of 95 % holds the true coefficient in about 95 of 100 samples of correlated normal pairs.
    [Fact]
    public void Interval_CoversTheTruth_AsOftenAsItSays()
    {
        const double Truth = 0.6;
        var random = new SeededRandom(3, RandomUse.Policy);
        var covered = 0;
        for (var sample = 0; sample < 2000; sample++)
        {
            var pairs = Enumerable.Range(0, 12).Select(_ =>
            {
                var (a, b) = (random.NextNormal(), random.NextNormal());
                return (X: a, Y: (Truth * a) + (Math.Sqrt(1 - (Truth * Truth)) * b));
            }).ToList();
            var found = CorrelationSummary.Pearson([.. pairs.Select(pair => pair.X)], [.. pairs.Select(pair => pair.Y)])!;
            covered += found.Low <= Truth && Truth <= found.High ? 1 : 0;
        }

        Assert.InRange(covered / 2000.0, 0.93, 0.97);
    }

    [Fact]
    public void WhatCannotBeCorrelated_HasNoCoefficient()
    {
        Assert.Null(CorrelationSummary.Pearson([1, 2], [1, 2]));
        Assert.Null(CorrelationSummary.Pearson([1, 2, 3], [4, 4, 4]));
        Assert.Null(CorrelationSummary.Spearman([4, 4, 4], [1, 2, 3]));
        var three = CorrelationSummary.Pearson([1, 2, 3], [1, 2, 4])!;
        Assert.Null(three.Low);
        Assert.Null(three.High);
        Assert.Throws<ArgumentException>(() => CorrelationSummary.Pearson([1, 2, 3], [1, 2]));
    }
}
