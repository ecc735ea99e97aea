using CsCheck;
using WeakLink.Comparisons;

namespace WeakLink.Tests.Comparisons;

public class StudentTTests
{
    // Printed in every table of the distribution, for 95 % and 99 % in both directions; the last three by integrating the density.
    [Theory]
    [InlineData(0.95, 1, 12.7062)]
    [InlineData(0.95, 2, 4.3027)]
    [InlineData(0.95, 3, 3.1824)]
    [InlineData(0.95, 4, 2.7764)]
    [InlineData(0.95, 5, 2.5706)]
    [InlineData(0.95, 9, 2.2622)]
    [InlineData(0.95, 10, 2.2281)]
    [InlineData(0.95, 30, 2.0423)]
    [InlineData(0.95, 120, 1.9799)]
    [InlineData(0.95, 1e7, 1.9600)]
    [InlineData(0.99, 1, 63.6567)]
    [InlineData(0.99, 10, 3.1693)]
    [InlineData(0.95, 1.5, 6.0167)]
    [InlineData(0.95, 2.7, 3.3921)]
    [InlineData(0.95, 3.3, 3.0249)]
    public void TwoSided_IsThatOfTheTables(double confidence, double degrees, double expected) =>
        Assert.Equal(expected, StudentT.TwoSided(confidence, degrees), 1e-4);

    [Fact]
    public void OneAndTwoDegrees_HaveClosedForms() =>
        Gen.Double[0.01, 0.999].Sample(confidence =>
        {
            Assert.Equal(1, StudentT.TwoSided(confidence, 1) / Math.Tan(Math.PI * confidence / 2), 1e-8);
            Assert.Equal(1, StudentT.TwoSided(confidence, 2) / (confidence * Math.Sqrt(2 / (1 - (confidence * confidence)))), 1e-8);
        });

    [Fact]
    public void MoreDegrees_AreNarrower() =>
        Gen.Select(Gen.Double[1, 200], Gen.Double[0.01, 10]).Sample((degrees, more) => StudentT.TwoSided(0.95, degrees) > StudentT.TwoSided(0.95, degrees + more));
}
