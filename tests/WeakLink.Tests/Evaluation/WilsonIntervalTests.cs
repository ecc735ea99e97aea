using WeakLink.Evaluation;

namespace WeakLink.Tests.Evaluation;

public class WilsonIntervalTests
{
    private const double Square = 1.959963984540054 * 1.959963984540054;

    // By definition its ends are the accuracies from which the measured one is 1.96 standard errors (theirs) away.
    [Theory]
    [InlineData(0.21, 30)]
    [InlineData(0.5, 10)]
    [InlineData(0.9, 100)]
    [InlineData(0.999, 1_000_000)]
    public void BothEnds_AreAsFarFromTheAccuracy_AsTheirOwnStandardErrorSays(double accuracy, int images)
    {
        var interval = WilsonInterval.Of(accuracy, images);
        Assert.InRange(accuracy, interval.Low, interval.High);
        Assert.All(new[] { interval.Low, interval.High }, end => Assert.Equal(Square * end * (1 - end) / images, (accuracy - end) * (accuracy - end), 1e-12));
    }

    [Fact]
    public void OfNoneAndOfAll_ItIsNotEmpty()
    {
        Assert.Equal((0, Square / (10 + Square)), WilsonInterval.Of(0, 10) is var none ? (none.Low, Math.Round(none.High, 12)) : default, Same);
        Assert.Equal((10 / (10 + Square), 1), WilsonInterval.Of(1, 10) is var all ? (all.Low, all.High) : default, Same);
    }

    private static bool Same((double Low, double High) one, (double Low, double High) other) => Math.Abs(one.Low - other.Low) < 1e-9 && Math.Abs(one.High - other.High) < 1e-9;
}
