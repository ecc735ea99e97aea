using TorchSharp;
using WeakLink.Evaluation;

namespace WeakLink.Tests.Evaluation;

public class ClassificationMeterTests
{
    [Fact]
    public void HandMadeProbabilities_GiveTheMetricsWorkedOutByHand()
    {
        // Six classes. Image 0: 0.7 on the label. Image 1: label has the least of six. Image 2: 0.5 on a wrong class, 0.3 on the label.
        double[,] probabilities =
        {
            { 0.70, 0.10, 0.08, 0.06, 0.04, 0.02 },
            { 0.04, 0.30, 0.25, 0.20, 0.11, 0.10 },
            { 0.50, 0.05, 0.30, 0.05, 0.05, 0.05 },
        };
        var meter = new ClassificationMeter();
        using var logits = torch.tensor(probabilities).log().add(3.5); // softmax ignores the shift
        using var labels = torch.tensor(new long[] { 0, 0, 2 });
        meter.Add(logits, labels);
        var metrics = meter.Result().Summary;

        Assert.Equal(3, meter.Images);
        Assert.Equal(1 / 3.0, metrics.Top1, 12);
        Assert.Equal(2 / 3.0, metrics.Top5, 12);
        Assert.Equal(-(Math.Log(0.7) + Math.Log(0.04) + Math.Log(0.3)) / 3, metrics.Nll, 9);

        Assert.Equal([(0, 0), (0, 1), (2, 0)], meter.Result().Predictions.Select(prediction => (prediction.Label, prediction.Predicted)));
        Assert.Equal([0.7, 0.3, 0.5], meter.Result().Predictions.Select(prediction => prediction.Confidence), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal([0.7, 0.04, 0.3], meter.Result().Predictions.Select(prediction => prediction.LabelProbability), (a, b) => Math.Abs(a - b) < 1e-9);

        // Bins of 1/15: 0.7 is in bin 10 (right), 0.3 in bin 4 (wrong), 0.5 in bin 7 (wrong).
        Assert.Equal(((1 - 0.7) + 0.3 + 0.5) / 3, metrics.Ece, 9);
    }

    [Fact]
    public void BatchesOfAnySize_GiveTheSameMetrics()
    {
        torch.random.manual_seed(1);
        using var scope = torch.NewDisposeScope();
        var logits = torch.randn(103, 10) * 3;
        var labels = torch.randint(0, 10, 103, torch.int64);
        var whole = new ClassificationMeter();
        whole.Add(logits, labels);
        var parts = new ClassificationMeter();
        foreach (var (start, count) in new[] { (0, 40), (40, 1), (41, 62) })
        {
            parts.Add(logits.narrow(0, start, count), labels.narrow(0, start, count));
        }

        Assert.Equal(whole.Result().Summary.Top1, parts.Result().Summary.Top1);
        Assert.Equal(whole.Result().Summary.Top5, parts.Result().Summary.Top5);
        Assert.Equal(whole.Result().Summary.Nll, parts.Result().Summary.Nll, 12);
        Assert.Equal(whole.Result().Summary.Ece, parts.Result().Summary.Ece, 12);
    }

    [Fact]
    public void CertainAndRight_IsPerfect()
    {
        var meter = new ClassificationMeter();
        using var logits = torch.eye(3) * 100;
        using var labels = torch.arange(3);
        meter.Add(logits, labels);
        var metrics = meter.Result().Summary;
        Assert.Equal((1.0, 1.0), (metrics.Top1, metrics.Top5));
        Assert.Equal(0, metrics.Nll, 9);
        Assert.Equal(0, metrics.Ece, 9);
    }

    [Fact]
    public void OverconfidentGuesses_HaveTheirGapAsCalibrationError()
    {
        // Always 90 % sure, right half of the time: ECE 0.4.
        var meter = new ClassificationMeter();
        using var logits = torch.tensor(new[] { Math.Log(0.9), Math.Log(0.1) }).expand(100, 2);
        using var labels = torch.arange(100).remainder(2);
        meter.Add(logits, labels);
        Assert.Equal(0.4, meter.Result().Summary.Ece, 9);
    }
}
