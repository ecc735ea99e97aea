using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

public class PlackettLuceTests
{
    private static readonly float[] Scores = [0.5f, -1.2f, 2.0f, 0.1f];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void LogLikelihood_EqualsTheProductOfTheDraws_AndAllOrdersSumToOne(int count)
    {
        using var scope = torch.NewDisposeScope();
        var total = 0.0;
        foreach (var drawn in Orders(Scores.Length, count))
        {
            var left = Scores.Select(score => Math.Exp(score)).ToList();
            var probability = 1.0;
            foreach (var item in drawn)
            {
                probability *= left[(int)item] / left.Sum();
                left[(int)item] = 0;
            }

            Assert.Equal(Math.Log(probability), PlackettLuce.LogLikelihood(torch.tensor(Scores), drawn).ToDouble(), 1e-5);
            total += probability;
        }

        Assert.Equal(1, total, 1e-9);
    }

    [Fact]
    public void Samples_AreAsFrequentAsTheirLikelihood()
    {
        using var scope = torch.NewDisposeScope();
        const int Draws = 40_000;
        var random = new SeededRandom(5, RandomUse.Proposal);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < Draws; i++)
        {
            var key = string.Join(' ', PlackettLuce.Sample(Scores, 2, random));
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        // Chi-square with 11 degrees of freedom exceeds 31.3 once in a thousand seeds.
        var chiSquare = Orders(Scores.Length, 2).Sum(drawn =>
        {
            var expected = Draws * Math.Exp(PlackettLuce.LogLikelihood(torch.tensor(Scores), drawn).ToDouble());
            return Math.Pow(counts.GetValueOrDefault(string.Join(' ', drawn)) - expected, 2) / expected;
        });
        Assert.True(chiSquare < 31.3, $"chi-square {chiSquare:0.0}");
    }

    /// <summary>All ordered choices of some items.</summary>
    internal static IEnumerable<long[]> Orders(int items, int count) => count == 0
        ? [[]]
        : Orders(items, count - 1).SelectMany(start => Enumerable.Range(0, items).Select(item => (long)item).Except(start).Select(item => (long[])[.. start, item]));
}
