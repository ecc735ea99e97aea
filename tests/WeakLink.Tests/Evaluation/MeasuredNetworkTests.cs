using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Subnets;
using WeakLink.Tests.Data;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Evaluation;

public class MeasuredNetworkTests
{
    [Fact]
    public void ExactAndFrozen_AgreeAndAreKeptApart()
    {
        using var folder = new TemporaryFolder();
        using var network = Small.Network();
        CleanMeasurement Measured(string exact, string format)
        {
            var evaluator = new Evaluator(network, Small.Recipe.With($"evaluation.exact={exact}"), Small.Data.Test, torch.CPU, new SilentObserver()).Keeping(folder.Path);
            Assert.Contains(format, evaluator.Format?.ToString() ?? "exact", StringComparison.Ordinal);
            return evaluator.Clean();
        }

        var (before, after) = (Measured("true", "exact"), Measured("false", "fp32"));
        Assert.Equal(before.Predictions.Select(prediction => prediction.Predicted), after.Predictions.Select(prediction => prediction.Predicted));
        Assert.Equal(before.Summary.Nll, after.Summary.Nll, 1e-5);
        Assert.Equal(2, Directory.GetFiles(folder.Path, "results-*.jsonl").Length);
    }

    [Fact]
    public void WhatCantBeFrozen_IsMeasuredAsItIs()
    {
        using var untraced = new Untraced();
        using var network = MeasuredNetwork.Of(untraced, new ComputeFormat(Precision.Fp32, Layout.ChannelsLast), 4, 4);
        Assert.Null(FrozenNetwork.Of(untraced, ComputeFormat.Exact, 4, 4));
        using var images = torch.rand(2, 3, 4, 4);
        using var expected = untraced.call(images);
        using var logits = network.Classify(images);
        Assert.Equal(expected.data<float>().ToArray(), logits.data<float>().ToArray());
        Assert.Null(MeasuredNetwork.Format(torch.nn.Identity(), 4, 4, torch.CPU, images: null));
    }

    private sealed class Untraced() : ClassifierNetwork(new NetworkSettings { Name = "untraced", Classes = 3, Mean = [0.5, 0.5, 0.5], StandardDeviation = [1, 1, 1] })
    {
        public override SubnetSpace Space { get; } = new([]);

        protected internal override torch.Tensor Run(torch.Tensor images, ForwardPass pass) => images.mean([2, 3], type: torch.float32);
    }
}
