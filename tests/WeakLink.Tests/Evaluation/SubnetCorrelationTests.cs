using WeakLink.Evaluation;

namespace WeakLink.Tests.Evaluation;

public class SubnetCorrelationTests
{
    [Fact]
    public void Correlations_AreThoseOfTheMeansAndMinima_OverTheModels()
    {
        // The mean of the random subnets rises with the full network, the weakest falls: it is a proposed one.
        var models = Enumerable.Range(0, 5).Select(i => Studies.Model($"m{i}", full: 0.5 + (0.05 * i), random: [0.3 + (0.1 * i), 0.4 + (0.1 * i)], proposed: [0.2 - (0.03 * i)])).ToList();
        var found = SubnetCorrelation.Over(models);
        Assert.Equal(4, found.Count);
        Assert.All(found.Where(one => one.Subnets == SubnetRole.RandomMean), one => Assert.Equal((1, 1), (Math.Round(one.Pearson!.Value, 12), one.Spearman!.Value)));
        Assert.All(found.Where(one => one.Subnets == SubnetRole.Weakest), one => Assert.Equal((-1, -1), (Math.Round(one.Pearson!.Value, 12), one.Spearman!.Value)));
        Assert.Equal([AccuracyKind.Clean, AccuracyKind.Corrupted], found.Select(one => one.Accuracy).Distinct());
        Assert.Empty(SubnetCorrelation.Over(models[..2]));
    }
}

/// <summary>Studies by hand.</summary>
internal static class Studies
{
    /// <summary>A network whose corrupted accuracies are half the clean ones.</summary>
    public static ModelStudy Model(string name, double full, double[] random, double[] proposed) => new(
        name, $"/runs/{name}", "resnet8", "off", 4, new Accuracies(full, full / 2, null), new Accuracies(full - 0.01, full / 2, null), [new WidthStudy(0.7, Group(random), Group(proposed), Group([proposed[0]]), Group([random[0]]), Group([random[0]]), SpreadSummary.Of([0.1, 0.2]), new SearchStrength(256, [[0.5, 0.3]], [[0.5, 0.4]], [[0.5, 0.35]]))], 1);

    /// <summary>A study of networks.</summary>
    public static SubnetStudy Of(params ModelStudy[] models) => new()
    {
        Command = "weaklink subnets runs/pets",
        Data = "pets & friends",
        Images = 100,
        Corruptions = ["fog"],
        Severities = [2],
        Recalibrated = 1024,
        Seed = 0,
        Models = models,
    };

    private static AccuracyGroup Group(double[] clean) => AccuracyGroup.Of([.. clean.Select(accuracy => new Accuracies(accuracy, accuracy / 2, null))]);
}
