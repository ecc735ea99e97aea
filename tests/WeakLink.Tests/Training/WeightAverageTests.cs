using TorchSharp;
using WeakLink.Models;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public class WeightAverageTests
{
    [Fact]
    public void Average_FollowsTheWeights_AndIsInTheNetworkWhileItIsApplied()
    {
        using var scope = torch.NewDisposeScope();
        using var network = NetworkCatalogue.Create("resnet8", 3, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 1, widthMultiplier: 0.25);
        const double Decay = 0.3;
        using var average = new WeightAverage(network, Decay);
        var bias = network.get_parameter("fc.bias")!;
        var variance = network.get_buffer("bn1.running_var")!;
        var batches = network.get_buffer("bn1.num_batches_tracked")!;
        var (expectedBias, expectedVariance) = (bias[0].ToDouble(), 1.0);
        for (var step = 0; step < 6; step++)
        {
            using (torch.no_grad())
            {
                bias.fill_(step + 1);
                variance.fill_(2 * step);
                batches.fill_(step);
            }

            average.Update(step);
            // 0.1, 2/11, 0.25, 4/13 > 0.3.
            var decay = Math.Min(Decay, (1.0 + step) / (10 + step));
            expectedBias = (decay * expectedBias) + ((1 - decay) * (step + 1));
            expectedVariance = (decay * expectedVariance) + ((1 - decay) * 2 * step);
        }

        Assert.Equal(expectedBias, average.State["fc.bias"][0].ToDouble(), 1e-5);
        Assert.Equal(expectedVariance, average.State["bn1.running_var"][0].ToDouble(), 1e-5);
        Assert.Equal(5, average.State["bn1.num_batches_tracked"].item<long>());
        Assert.Equal(6, bias[0].ToDouble());
        using (average.Applied())
        {
            Assert.Equal(expectedBias, bias[0].ToDouble(), 1e-5);
            Assert.Equal(expectedVariance, variance[0].ToDouble(), 1e-5);
        }

        Assert.Equal((6, 10), (bias[0].ToDouble(), variance[0].ToDouble()));
        Assert.Equal(network.state_dict().Keys.Order(), average.State.Keys.Order());
    }
}
