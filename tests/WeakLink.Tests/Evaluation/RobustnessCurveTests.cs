using TorchSharp;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public sealed class RobustnessCurveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weaklink-curve").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Curve_BeginsAtCleanAccuracy_NeverRises_AndItsExamplesAreWhatTheySay()
    {
        using var trained = Trained();
        var images = Loaders.Measuring(trained.Recipe, Small.Data.Train);
        var curve = RobustnessCurve.Measure(trained.Network, images, torch.CPU, 0);

        Assert.Equal(CleanEvaluation.Measure(trained.Network.call, images, torch.CPU).Top1, curve.Points[0].Accuracy);
        Assert.Equal([0, .. RobustnessCurve.Sizes.Select(size => size / 255)], curve.Points.Select(point => point.Epsilon));
        Assert.All(curve.Points.Zip(curve.Points.Skip(1)), pair => Assert.True(pair.First.Accuracy >= pair.Second.Accuracy));
        Assert.NotEmpty(curve.Examples);
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        Assert.All(curve.Examples, example =>
        {
            var (image, adversarial) = (Pixels.ToUnit(torch.tensor(example.Image, [1, 3, 32, 32], torch.uint8)), torch.tensor(example.Adversarial, [1, 3, 32, 32]));
            Assert.Equal(Small.Data.Train.Label(example.Index), example.Label);
            Assert.Equal(example.Label, trained.Network.call(image).argmax(1).item<long>());
            Assert.Equal(example.Predicted, trained.Network.call(adversarial).argmax(1).item<long>());
            Assert.NotEqual(example.Label, example.Predicted);
            Assert.InRange((adversarial - image).abs().max().item<float>(), 0, example.Threat.Epsilon + 1e-6);
        });
    }

    [Fact]
    public void Predictions_AgreeWithTheMetrics()
    {
        using var trained = Trained();
        var images = Loaders.Measuring(trained.Recipe, Small.Data.Test);
        var metrics = CleanEvaluation.Measure(trained.Network.call, images, torch.CPU);
        var predictions = Predictions.Of(trained.Network.call, images, torch.CPU);
        var calibration = new CalibrationMeter();
        Assert.All(predictions, (prediction, i) =>
        {
            Assert.Equal((i, Small.Data.Test.Label(i)), (prediction.Index, prediction.Label));
            calibration.Add(prediction.Confidence, prediction.IsCorrect);
        });
        Assert.Equal(metrics.Images, predictions.Count);
        Assert.Equal(metrics.Top1, predictions.Average(prediction => prediction.IsCorrect ? 1.0 : 0));
        Assert.Equal(metrics.Nll, -predictions.Average(prediction => Math.Log(prediction.LabelProbability)), 1e-5);
        Assert.Equal(metrics.Ece, calibration.ExpectedError(), 1e-5);
        Assert.Equal(predictions.Count, calibration.Bins().Sum(bin => bin.Images));
    }

    private TrainedModel Trained()
    {
        Small.Train(_folder);
        return TrainedModel.Load(_folder, torch.CPU);
    }
}
