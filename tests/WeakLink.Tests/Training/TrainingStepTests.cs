using TorchSharp;
using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public class TrainingStepTests
{
    [Fact]
    public void Step_MovesTheWeightsAsOneBackwardPassOfTheFormulaDoes()
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(16);
        const double Rate = 0.1;
        const double Weight = 0.7;

        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        using var optimizer = torch.optim.SGD(network.parameters(), Rate);
        var result = Step(network, optimizer, search, Weight).Run(batch, 5, Rate);

        // L = CE(f) + λ · KL(stopgrad softmax f ‖ softmax α), written down once more.
        using var expected = Small.Network();
        var images = batch.Images.to(torch.float32) / 255;
        var full = expected.forward(images);
        var subnet = expected.forward(images, search.Propose(new SearchContext(new SeededRandom(3, RandomUse.Proposal, 0, 5))));
        var teacher = full.detach().softmax(1);
        var crossEntropy = full.log_softmax(1).gather(1, batch.Labels.unsqueeze(1)).mean().neg();
        var divergence = (teacher * (teacher.log() - subnet.log_softmax(1))).sum() / 16;
        (crossEntropy + (divergence * Weight)).backward();

        Assert.Equal(crossEntropy.ToDouble(), result.Loss, 1e-5);
        Assert.Equal(divergence.ToDouble(), result.Divergence!.Value, 1e-5);
        Small.RequireMoved(network, expected, Rate);
    }

    [Fact]
    public void InfiniteLoss_LeavesTheWeightsAsTheyWere()
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(8);
        using var network = Small.Network();
        using (torch.no_grad())
        {
            network.get_parameter("fc.bias")![0] = float.NaN;
        }

        var before = network.get_parameter("conv1.weight")!.clone();
        using var optimizer = torch.optim.SGD(network.parameters(), 0.1);
        var error = Assert.Throws<InputException>(() => Step(network, optimizer, null, 1).Run(batch, 0, 0.1));
        Assert.Contains("training.learning-rate", error.Message);
        Assert.True(before.equal(network.get_parameter("conv1.weight")!).all().ToBoolean());
    }

    [Fact]
    public void ThousandSteps_HoldNoMoreThanAHundred()
    {
        using var batch = Small.Batch(4, 8);
        using var network = Small.Network();
        using var search = new PolicySearch(network.Space, new EwsRecipe(), 0);
        using var optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9);
        var step = Step(network, optimizer, search, 1);
        var (tensors, bytes) = (0L, 0L);
        for (var i = 0; i < 1000; i++)
        {
            step.Run(batch, i, 0.01);
            if (i == 100)
            {
                (tensors, bytes) = (LiveTensors.Before(), Held());
            }
        }

        Assert.Equal(tensors, LiveTensors.After());
        var grown = Held() - bytes;
        Assert.True(grown < 64 << 20, $"grew by {grown >> 20} MiB");

        // Without the garbage that .NET has yet to collect: it waits for more of it the larger the processor's cache is (300 MiB: for over 90).
        static long Held()
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            return Environment.WorkingSet;
        }
    }

    [Fact]
    public void GradientClip_BoundsTheWholeStep()
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(8);
        using var network = Small.Network();
        using var start = Small.Network();
        using var optimizer = torch.optim.SGD(network.parameters(), 1);
        new TrainingStep(network, new CrossEntropy(), null, null, optimizer, 0.01, torch.CPU, 3).Run(batch, 0, 1);
        using var noGradients = torch.no_grad();
        var moved = Math.Sqrt(network.parameters().Zip(start.parameters()).Sum(pair => (pair.First - pair.Second).square().sum().ToDouble()));
        Assert.Equal(0.01, moved, 1e-4);
    }

    [Fact]
    public void MixedViewsAndTheirConsistency_HoldNothing()
    {
        // Three views of five images.
        using var random = new torch.Generator(4);
        using var batch = new Batch(
            torch.randint(0, 256, [15, 3, 8, 8], torch.uint8, generator: random).DetachFromDisposeScope(),
            torch.arange(5, dtype: torch.int64).DetachFromDisposeScope(),
            [0, 1, 2, 3, 4]);
        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        using var optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9);
        var step = new TrainingStep(
            network, new Consistency(), new EnhanceWeakSubnets(network, search, new Distillation(1)), null, optimizer, 3, torch.CPU, 3, [new Mixup(0.2, 10), new CutMix(1, 10)]);
        var tensors = 0L;
        for (var i = 0; i < 30; i++)
        {
            var result = step.Run(batch, i, 0.01);
            Assert.Equal(5, result.Images);
            Assert.InRange(result.Correct, 0, 5);
            tensors = i == 9 ? LiveTensors.Before() : tensors;
        }

        Assert.Equal(tensors, LiveTensors.After());
    }

    [Fact]
    public void StepInEvaluationMode_IsRefused()
    {
        using var batch = Small.Batch(8);
        using var network = Small.Network();
        using var optimizer = torch.optim.SGD(network.parameters(), 0.1);
        network.eval();
        Assert.Throws<InvalidOperationException>(() => Step(network, optimizer, null, 0).Run(batch, 0, 0.1));
        network.train();
        Step(network, optimizer, null, 0).Run(batch, 0, 0.1);
    }

    private static TrainingStep Step(ClassifierNetwork network, torch.optim.Optimizer optimizer, ISubnetSearch? search, double weight) => new(
        network, new CrossEntropy(), search is null ? null : new EnhanceWeakSubnets(network, search, new Distillation(weight)), null, optimizer, 0, torch.CPU, 3);
}
