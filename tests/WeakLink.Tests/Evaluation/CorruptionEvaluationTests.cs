using WeakLink.Corruptions;
using WeakLink.Evaluation;

namespace WeakLink.Tests.Evaluation;

public sealed class CorruptionEvaluationTests
{
    // By hand, after Hendrycks and Dietterich 2019, section 4.2.
    [Fact]
    public void Means_LeaveTheHeldOutOnesOut_AndDivideByTheReference()
    {
        var metrics = Metrics(("fog", 0.4), ("snow", 0.6), ("speckle_noise", 0.9));
        var reference = new ReferenceErrors("reference", 0.2, new Dictionary<string, double> { ["fog"] = 0.8, ["snow"] = 0.6 });
        Assert.Equal(0.5, metrics.MeanError, 12);
        Assert.Equal(((0.4 / 0.8) + (0.6 / 0.6)) / 2, reference.MeanCorruptionError(metrics)!.Value, 12);
        Assert.Equal((((0.4 - 0.1) / (0.8 - 0.2)) + ((0.6 - 0.1) / (0.6 - 0.2))) / 2, reference.RelativeMeanCorruptionError(metrics, 0.1)!.Value, 12);
        Assert.Null(reference.MeanCorruptionError(Metrics(("contrast", 0.5))));
        Assert.Null(reference.MeanCorruptionError(metrics with { Severities = [2, 4] }));
        Assert.Null(reference.RelativeMeanCorruptionError(metrics with { Severities = [2, 4] }, 0.1));
        Assert.NotNull((reference with { Severities = [2, 4] }).MeanCorruptionError(metrics with { Severities = [2, 4] }));
    }

    [Fact]
    public void AlexNet_IsAsBadAsItself()
    {
        var metrics = Metrics([.. ReferenceErrors.AlexNet.Mean.Select(pair => (pair.Key, pair.Value))]);
        Assert.Equal(15, metrics.Corruptions.Count);
        Assert.Equal(1, ReferenceErrors.AlexNet.MeanCorruptionError(metrics)!.Value, 12);
        Assert.Equal(1, ReferenceErrors.AlexNet.RelativeMeanCorruptionError(metrics, ReferenceErrors.AlexNet.Clean)!.Value, 12);
        Assert.Equal("AlexNet", CorruptionSummary.Of(metrics, 0.2, classes: 1000).Reference);
        Assert.Null(CorruptionSummary.Of(metrics, 0.2, classes: 10).Mce);
    }

    private static CorruptionMetrics Metrics(params (string Name, double Error)[] errors) => new(
        10, "generated", SeverityTable.Cifar, Corruption.AllSeverities, [.. errors.Select(error => new CorruptionErrors(CommonCorruptions.Named(error.Name)[0], [.. Enumerable.Repeat(error.Error, 5)]))], 1, 0);
}
