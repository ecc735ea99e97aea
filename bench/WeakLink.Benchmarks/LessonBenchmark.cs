using TorchSharp;
using WeakLink.Data;
using WeakLink.Experiments;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Sources;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Benchmarks;

/// <summary>What ways of teaching a subnet cost: training steps on 32x32 images, the loader's work on another view included, in plain steps of processor time.</summary>
internal static class LessonBenchmark
{
    // Every kind of step comes in it as often as it shall.
    private const int StepsPerTurn = 4;

    private static readonly string[][] Ways =
    [
        ["ews.search=off"],
        ["ews.search=off", "augmentation.sequence=crop,flip,augmix"],
        ["ews.search=random"],
        ["ews.search=policy"],
        ["ews.search=saliency"],
        ["ews.search=random", "ews.view=crop"],
        ["ews.search=random", "ews.view=augmix"],
        ["ews.search=random", "ews.view=augmix", "augmentation.sequence=crop,flip,augmix"],
        ["ews.search=random", "ews.view=randaugment"],
        ["ews.search=random", "ews.view=corrupted"],
        ["ews.search=random", "ews.view=adversarial", "objective.steps=2"],
        ["ews.search=random", "ews.fraction=0.5"],
        ["ews.search=random", "ews.view=augmix", "ews.fraction=0.5"],
        ["ews.search=random", "ews.every=2"],
        ["ews.search=random", "ews.every=4"],
        ["ews.search=off", "training.average=0.99"],
        ["ews.search=random", "training.average=0.99", "ews.teacher=average"],
        ["ews.search=off", "training.optimiser=adamw", "training.learning-rate=0.001"],
    ];

    public static void Run(string network, int rounds)
    {
        var images = new MemoryDataset(
            "noise",
            [.. Enumerable.Range(0, 10).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))],
            32,
            32,
            [.. Enumerable.Range(0, StepsPerTurn * StepBenchmark.BatchSize).Select(Noise)],
            [.. Enumerable.Range(0, StepsPerTurn * StepBenchmark.BatchSize).Select(i => i % 10)]);
        var format = new ComputeFormat(Machine.Precisions[^1], Layout.ChannelsLast);
        var timings = Interleaved.RunOnProcessor(rounds, [.. Ways.Select(way => (string.Join(" ", way), Epoch(network, images, format, way)))]);
        Console.WriteLine($"{network}, {format}, batch {StepBenchmark.BatchSize}, 32x32, ρ 0.7, {rounds} rounds of {StepsPerTurn} steps, in plain steps of processor time");
        foreach (var timing in timings)
        {
            Console.WriteLine(FormattableString.Invariant($"  {timing.RatioTo(timings[0]),5:0.00}  {timing.Name}"));
        }
    }

    private static byte[] Noise(int seed)
    {
        var values = new float[3 * 32 * 32];
        new SeededRandom(0, RandomUse.Shapes, 0, seed).FillUniform(values);
        return [.. values.Select(value => (byte)(255 * value))];
    }

    private static Action Epoch(string name, Dataset images, ComputeFormat format, string[] way)
    {
        var recipe = new Recipe
        {
            Model = new ModelRecipe { Name = name, Mean = [0.5, 0.5, 0.5], StandardDeviation = [0.25, 0.25, 0.25] },
            Training = new TrainingRecipe { Batch = StepBenchmark.BatchSize },
        }.With(way);
        var network = recipe.CreateNetwork(10);
        network.Format = format;
        network.train();
        var optimizer = TrainingRun.Optimizer(network, recipe.Training);
        var average = recipe.Training.Average > 0 ? new WeightAverage(network, recipe.Training.Average) : null;
        var ews = recipe.Ews.CreateSearch(network.Space, 0) is { } search ? new EnhanceWeakSubnets(network, search, new Distillation()) : null;
        var step = new TrainingStep(network, recipe.Objective.Create(), ews, null, optimizer, 3, torch.CPU, 0, lesson: Lesson.Of(recipe, 1, average), average: average);
        var loader = Loaders.Training(recipe, new DataSplits(images, images, images, []));
        var count = 0L;
        return () =>
        {
            foreach (var batch in loader.Training(0, (int)count))
            {
                using (batch)
                {
                    step.Run(batch, count++, 0.001);
                }
            }
        };
    }
}
