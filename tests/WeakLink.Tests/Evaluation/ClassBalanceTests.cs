using WeakLink.Evaluation;
using WeakLink.Runs;

namespace WeakLink.Tests.Evaluation;

public class ClassBalanceTests
{
    // A photo folder of a stranger: 60, 30 and 10 images, and a network that says cat nearly always.
    private static readonly Dictionary<string, ClassAccuracy> Uneven = new()
    {
        ["cat"] = new(60, 54.0 / 60, new Dictionary<string, int> { ["dog"] = 6 }),
        ["dog"] = new(30, 6.0 / 30, new Dictionary<string, int> { ["cat"] = 24 }),
        ["owl"] = new(10, 0, new Dictionary<string, int> { ["cat"] = 8, ["dog"] = 2 }),
    };

    [Fact]
    public void AMatrixWorkedOutByHand()
    {
        var balance = ClassBalance.Of(Uneven);
        Assert.Equal(((0.9 + 0.2 + 0) / 3), balance.Accuracy, 12);
        Assert.Equal(("cat", 0.6, 6.0, true), (balance.Largest, balance.Baseline, balance.Ratio, balance.IsUneven));
        // 54 of 86 that are taken for cats are, 6 of 14 taken for dogs; nothing is taken for an owl.
        Assert.Equal(54.0 / 86, balance.Classes["cat"].Precision!.Value, 12);
        Assert.Equal(6.0 / 14, balance.Classes["dog"].Precision!.Value, 12);
        Assert.Null(balance.Classes["owl"].Precision);
        Assert.Equal([0.9, 0.2, 0], balance.Classes.Values.Select(one => one.Recall));
        Assert.Equal([108.0 / 146, 12.0 / 44, 0], balance.Classes.Values.Select(one => one.F1));
        Assert.Equal(((108.0 / 146) + (12.0 / 44)) / 3, balance.F1, 12);
        // F1 is the harmonic mean.
        Assert.Equal(2 / ((86.0 / 54) + (60.0 / 54)), balance.Classes["cat"].F1, 12);
    }

    [Fact]
    public void ANetworkNoBetterThanTheLargestClass_IsCalledThat()
    {
        Assert.Contains("no better than always answering 'cat': 60.0 %", ClassBalance.Of(Uneven).Doubt, StringComparison.Ordinal);
        // 80 of 100 are not to be had by luck where 60 are.
        var better = new Dictionary<string, ClassAccuracy>(Uneven) { ["dog"] = new(30, 26.0 / 30, new Dictionary<string, int> { ["cat"] = 4 }) };
        Assert.Null(ClassBalance.Of(better).Doubt);
        // Of one class alone there is nothing to be better than.
        Assert.Null(ClassBalance.Of(new Dictionary<string, ClassAccuracy> { ["cat"] = new(9, 1, new Dictionary<string, int>()) }).Doubt);
    }

    [Theory]
    [InlineData(30, 20, false)]
    [InlineData(31, 20, true)]
    public void ClassesAreUneven_FromOneAndAHalfOn(int larger, int smaller, bool uneven)
    {
        var none = new Dictionary<string, int>();
        Assert.Equal(uneven, ClassBalance.Of(new Dictionary<string, ClassAccuracy> { ["a"] = new(smaller, 1, none), ["b"] = new(larger, 1, none) }).IsUneven);
    }

    [Fact]
    public void TheSummary_WritesWhatFollowsFromTheMatrix_AndReadsTheMatrixAlone()
    {
        var path = Path.GetTempFileName();
        var summary = new Summary
        {
            Data = "photos",
            Model = "resnet8",
            Seed = 0,
            Ews = "off",
            Images = 100,
            Parameters = 1,
            Epochs = 1,
            Format = "fp32 contiguous",
            Clean = new CleanSummary(0.6, 1, 1, 0.1),
            Classes = Uneven,
            Seconds = new SecondsSummary(1, 1, 1),
        };
        try
        {
            File.WriteAllText(path, summary.ToJson());
            Assert.Contains("\"baseline\": 0.6", File.ReadAllText(path), StringComparison.Ordinal);
            var read = Summary.Read(path);
            Assert.Equal((summary.Balance!.Accuracy, summary.Balance.F1, summary.Interval), (read.Balance!.Accuracy, read.Balance.F1, read.Interval));

            File.WriteAllText(path, (summary with { Classes = new Dictionary<string, ClassAccuracy> { ["cat"] = new(2, 0, new Dictionary<string, int> { ["dog"] = 3 }) } }).ToJson());
            Assert.Contains("fewer images than are taken for others", Assert.Throws<InputException>(() => Summary.Read(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
