using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Benchmarks;

/// <summary>
/// Training steps at batch 128 on 32x32 images: WeakLink's plain step against the same libtorch operations called bare, bfloat16
/// against float32, and an EWS step against a plain one.
/// </summary>
internal static class StepBenchmark
{
    /// <summary>Images in a batch.</summary>
    public const int BatchSize = 128;

    // As many as there are from one update of the search to the next.
    private const int StepsPerTurn = 10;

    /// <summary>A batch of noise of ten classes.</summary>
    public static Batch RandomBatch(int images = BatchSize, int side = 32) =>
        new(torch.randint(0, 256, [images, 3, side, side], torch.uint8), torch.randint(0, 10, [images], torch.int64), [.. Enumerable.Range(0, images).Select(i => (long)i)]);

    public static void Run(IReadOnlyList<string> networks, int? fewerRounds)
    {
        foreach (var network in networks)
        {
            var (widths, blocks, rounds) = network switch
            {
                "resnet18" => (new[] { 64, 128, 256, 512 }, 2, 3),
                "resnet20" => ([16, 32, 64], 3, 9),
                _ => throw new InputException($"There is no bare version of '{network}': choose resnet18 or resnet20."),
            };
            rounds = fewerRounds ?? rounds;
            var bare = new BareResNet(widths, blocks, 10);
            using var batch = RandomBatch();
            var fast = new ComputeFormat(Machine.Precisions[^1], Layout.ChannelsLast);
            (string, Action)[] candidates =
            [
                ("bare libtorch, fp32 contiguous", () => bare.Step(batch.Images, batch.Labels)),
                ("WeakLink plain, fp32 contiguous", Step(network, SearchKind.Off, ComputeFormat.Exact, batch)),
                ("WeakLink EWS policy, fp32 contiguous", Step(network, SearchKind.Policy, ComputeFormat.Exact, batch)),
                ($"WeakLink plain, {fast}", Step(network, SearchKind.Off, fast, batch)),
                ($"WeakLink EWS policy, {fast}", Step(network, SearchKind.Policy, fast, batch)),
                ($"WeakLink EWS random, {fast}", Step(network, SearchKind.Random, fast, batch)),
            ];
            var timings = Interleaved.Run(rounds, [.. candidates.Select(candidate => (candidate.Item1, Repeat(candidate.Item2, StepsPerTurn)))]);

            Console.WriteLine($"{network}, batch {BatchSize}, 32x32, ρ 0.7, {rounds} rounds of {StepsPerTurn} steps");
            foreach (var timing in timings)
            {
                Console.WriteLine(FormattableString.Invariant($"  {timing.Name,-42} {1000 * timing.Median / StepsPerTurn,8:0.0} ms/step  {BatchSize * StepsPerTurn / timing.Median,6:0} images/s"));
            }

            Console.WriteLine(FormattableString.Invariant($"  plain / bare, fp32: {timings[1].RatioTo(timings[0]):0.000}   (goal: at most 1.03)"));
            Console.WriteLine(FormattableString.Invariant($"  bare fp32 / plain {fast}: {timings[0].RatioTo(timings[3]):0.00}   (goal for resnet18 in bf16: at least 2.0)"));
            Console.WriteLine(FormattableString.Invariant($"  EWS / plain: fp32 contiguous {timings[2].RatioTo(timings[1]):0.00}, {fast} {timings[4].RatioTo(timings[3]):0.00}, random subnets {timings[5].RatioTo(timings[3]):0.00}   (goal: at most 1.80)"));
            Console.WriteLine();
        }
    }

    /// <summary>A network of the catalogue that was not trained, for images of any mean.</summary>
    public static ClassifierNetwork NewNetwork(string name, int classes = 10) =>
        new Recipe { Model = new ModelRecipe { Name = name, Mean = [0.5, 0.5, 0.5], StandardDeviation = [0.25, 0.25, 0.25] } }.CreateNetwork(classes);

    /// <summary>A training step as a run takes it.</summary>
    public static Action Step(string name, SearchKind kind, ComputeFormat format, Batch batch, torch.Device? device = null)
    {
        var step = NewStep(name, kind, format, device ?? torch.CPU, ProcessGroup.Alone);
        var count = 0L;
        return () => step.Run(batch, count++, 0.01);
    }

    /// <summary>What takes such steps.</summary>
    public static TrainingStep NewStep(string name, SearchKind kind, ComputeFormat format, torch.Device device, ProcessGroup processes)
    {
        var recipe = new Recipe { Ews = new EwsRecipe { Search = kind } };
        var network = NewNetwork(name);
        network.Format = format;
        network.to(device);
        network.train();
        var optimizer = torch.optim.SGD(network.parameters(), 0.1, 0.9, weight_decay: 1e-4, nesterov: true);
        var ews = recipe.Ews.CreateSearch(network.Space, 0) is { } search ? new EnhanceWeakSubnets(network, search, new Distillation()) : null;
        return new TrainingStep(network, new CrossEntropy(), ews, null, optimizer, 3, device, 0, processes: processes);
    }

    /// <summary>The same work several times.</summary>
    public static Action Repeat(Action action, int times) => () =>
    {
        for (var i = 0; i < times; i++)
        {
            action();
        }
    };
}
