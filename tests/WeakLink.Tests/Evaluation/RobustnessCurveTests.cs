using TorchSharp;
using WeakLink.Evaluation;
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
        var evaluator = new Evaluator(trained.Network, trained.Recipe, Small.Data.Train, torch.CPU, new SilentObserver());
        var (curve, broken) = evaluator.UnderGrowingAttacks();

        Assert.Equal(evaluator.Clean().Summary.Top1, curve!.Points[0].Accuracy);
        Assert.Equal([0, .. RobustnessCurve.Sizes.Select(size => size / 255)], curve.Points.Select(point => point.Eps));
        Assert.All(curve.Points.Zip(curve.Points.Skip(1)), pair => Assert.True(pair.First.Accuracy >= pair.Second.Accuracy));
        Assert.NotEmpty(broken);
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        Assert.All(broken, example =>
        {
            var (image, adversarial) = (torch.tensor(example.Image, [1, 3, 32, 32]), torch.tensor(example.Adversarial, [1, 3, 32, 32]));
            Assert.Equal(Small.Data.Train.Label(example.Index), example.Label);
            Assert.Equal(example.Label, trained.Network.call(image).argmax(1).item<long>());
            Assert.Equal(example.Predicted, trained.Network.call(adversarial).argmax(1).item<long>());
            Assert.NotEqual(example.Label, example.Predicted);
            Assert.InRange((adversarial - image).abs().max().item<float>(), 0, example.Threat.Epsilon + 1e-6);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void OnAsManyImagesAsTheRecipeSays(int images)
    {
        using var trained = Trained();
        var recipe = trained.Recipe with { Evaluation = trained.Recipe.Evaluation with { CurveImages = images, Corruptions = "none", Subnets = 0 } };
        var measurement = Measurement.Of(trained, new Evaluator(trained.Network, recipe, Small.Data.Test, torch.CPU, new SilentObserver()), Small.Data.Train, examples: true);
        Assert.Equal(images, measurement.Summary.Curve?.Images ?? 0);
        Assert.NotEmpty(measurement.Summary.Examples!.Hardest);
        Assert.Equal(images == 0, measurement.Summary.Examples.Attacked.Count == 0);
    }

    [Fact]
    public void Predictions_AgreeWithTheMetrics()
    {
        using var trained = Trained();
        var (metrics, bins, predictions) = new Evaluator(trained.Network, trained.Recipe, Small.Data.Test, torch.CPU, new SilentObserver()).Clean();
        var calibration = new CalibrationMeter();
        Assert.All(predictions, (prediction, i) =>
        {
            Assert.Equal((i, Small.Data.Test.Label(i)), (prediction.Index, prediction.Label));
            calibration.Add(prediction.Confidence, prediction.IsCorrect);
        });
        Assert.Equal(Small.Data.Test.Count, predictions.Count);
        Assert.Equal(metrics.Top1, predictions.Average(prediction => prediction.IsCorrect ? 1.0 : 0));
        Assert.Equal(metrics.Nll, -predictions.Average(prediction => Math.Log(prediction.LabelProbability)), 1e-9);
        Assert.Equal(metrics.Ece, calibration.ExpectedError(), 1e-9);
        Assert.Equal(calibration.Bins(), bins);
        var classes = ClassAccuracy.Of(predictions, trained.Classes);
        Assert.Equal(predictions.Count, classes.Values.Sum(one => one.Images));
        Assert.All(classes.Values, one => Assert.Equal(one.Images, (int)Math.Round(one.Accuracy * one.Images) + one.TakenFor.Values.Sum()));
    }

    private TrainedModel Trained()
    {
        Small.Train(_folder);
        return TrainedModel.Load(_folder, torch.CPU);
    }
}
