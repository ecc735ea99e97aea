using System.Text.Json;
using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Tests.Training;

namespace WeakLink.Tests.Processes;

public class ShardedMeasuringTests
{
    [Fact]
    public void ThreeProcesses_MeasureWhatOneDoes()
    {
        var recipe = Small.Recipe.With(
            "evaluation.batch=4", "evaluation.corruptions=brightness,contrast", "evaluation.corruption-images=6", "evaluation.attack=pgd", "evaluation.attack-eps=1/255", "evaluation.subnets=2", "evaluation.subnet-images=8", "training.workers=1");
        var alone = Measured(1)[0];
        Assert.Contains("\"brightness\"", alone);
        Assert.All(Measured(3), its => Assert.Equal(alone, its));

        string[] Measured(int size) => Ranks.Run(size, processes =>
        {
            using var scope = torch.NewDisposeScope();
            using var network = Small.Network();
            var evaluator = new Evaluator(network, recipe, Small.Shapes(2, 30), torch.CPU, new SilentObserver()) { Processes = processes };
            var clean = evaluator.Clean();
            var attacked = evaluator.Attacked()!["pgd"]["linf"];
            return JsonSerializer.Serialize(new
            {
                clean.Summary,
                clean.Predictions,
                evaluator.Corrupted()!.Error,
                Attacked = attacked with { Stages = [.. attacked.Stages.Select(stage => stage with { Seconds = 0 })] },
                Subnets = evaluator.Subnets(Small.Shapes(0, 16)),
            });
        });
    }
}
