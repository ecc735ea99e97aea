using System.Text.Json;
using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Tests.Data;
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

    // What was measured before counts in its place, whoever measures the rest.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhatIsKept_IsToldInItsPlace(int size)
    {
        using var folder = new TemporaryFolder();
        Told(1, "b", "e");
        for (var round = 0; round < 2; round++)
        {
            Assert.All(Told(size, "a", "b", "c", "d", "e"), told => Assert.Equal(["a", "b", "c", "d", "e"], told));
        }

        List<string>[] Told(int count, params string[] names) => Ranks.Run(count, processes =>
        {
            using var network = Small.Network();
            var evaluator = new Evaluator(network, Small.Recipe, Small.Shapes(2, 4), torch.CPU, new SilentObserver()) { Processes = processes }.Keeping(folder["kept"]);
            var told = new List<string>();
            var results = evaluator.Each(names, i => names[i], (_, name) => told.Add(name));
            Assert.Equal(names, results);
            return told;
        });
    }
}
