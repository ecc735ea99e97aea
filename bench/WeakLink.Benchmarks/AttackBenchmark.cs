using System.Diagnostics;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Training;

namespace WeakLink.Benchmarks;

/// <summary>What attacks cost beyond the forward and backward passes that they need, in float32 on 32x32 images.</summary>
internal static class AttackBenchmark
{
    private const int TrainingBatch = 128;
    private const int Steps = 10;
    private const int Rounds = 5;
    private static readonly ThreatModel Threat = new(Norm.Linf, 8.0 / 255);

    public static void Run(int images)
    {
        foreach (var name in new[] { "resnet20", "resnet18" })
        {
            InTraining(name);
        }

        Console.WriteLine($"\nresnet8, {images} images at a time, Linf 8/255: each attack alone, against the passes that it needs");
        Console.WriteLine("| attack | forward passes | backward passes | seconds | of bare passes |");
        Console.WriteLine("|---|---|---|---|---|");
        Attack[] attacks =
        [
            new ProjectedGradientDescent(Threat, 20, 2.0 / 255),
            new AutoPgd(Threat, AutoPgdLoss.CrossEntropy),
            new AutoPgd(Threat, AutoPgdLoss.TargetedDlr, targets: 1),
            new FastAdaptiveBoundary(Threat, targets: 1),
            new SquareAttack(Threat, 500),
            new AutoPgd(new ThreatModel(Norm.L2, 0.5), AutoPgdLoss.CrossEntropy),
            new AutoPgd(new ThreatModel(Norm.L1, 12), AutoPgdLoss.CrossEntropy),
            new FastAdaptiveBoundary(new ThreatModel(Norm.L2, 0.5), targets: 1),
            new SquareAttack(new ThreatModel(Norm.L2, 0.5), 500),
        ];
        foreach (var attack in attacks)
        {
            Alone(attack, images);
        }
    }

    /// <summary>Standard AutoAttack on a trained network, component by component.</summary>
    /// <param name="run">Its run folder.</param>
    /// <param name="count">Test images, every class in its share.</param>
    public static void AutoAttackOn(string run, int count)
    {
        using var trained = TrainedModel.Load(run, torch.CPU);
        var test = DataSources.Open(trained.Recipe.Data.WithoutExtra(), trained.Recipe.Seed, new SilentObserver()).Test;
        var images = StratifiedSplit.Limit(test, count, trained.Recipe.Seed);
        var metrics = RobustEvaluation.Measure(
            trained.Network, "autoattack", AutoAttack.Standard(Threat), images, Loaders.MeasuringCrop(trained.Recipe, images), trained.Recipe.Evaluation.Batch, torch.CPU, 0, new SilentObserver());
        Console.WriteLine(FormattableString.Invariant(
            $"AutoAttack, {Threat}, {trained.Recipe.Model.Name} on {metrics.Images} test images of {images.Name}: clean {100 * metrics.CleanAccuracy:0.0}%, robust {100 * metrics.RobustAccuracy:0.0}%, {metrics.Stages.Sum(stage => stage.Seconds):0} s\n"));
        Console.WriteLine("| attack | images | broken | seconds | forward passes | backward passes | ms a pass |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var stage in metrics.Stages)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"| {stage.Attack} | {stage.Attacked} | {stage.Broken} | {stage.Seconds:0.0} | {stage.Forwards:n0} | {stage.Backwards:n0} | {1000 * stage.Seconds / Math.Max(1, stage.Forwards + stage.Backwards):0.00} |"));
        }

        foreach (var warning in metrics.Warnings)
        {
            Console.WriteLine("\nWarning: " + warning);
        }
    }

    private static void InTraining(string name)
    {
        using var network = NetworkCatalogue.Create(name, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 0);
        network.train();
        using var images = torch.rand(TrainingBatch, 3, 32, 32);
        using var labels = torch.randint(0, 10, [TrainingBatch], torch.int64);
        var attack = new InnerAttack(Threat, Steps, 2.0 / 255, BatchStatistics: true);
        var objective = new AdversarialTraining(attack);
        var timings = Interleaved.Run(
            Rounds,
            ("bare", () =>
            {
                for (var step = 0; step < Steps; step++)
                {
                    InputGradient(network, images, labels);
                }

                Train(network, images, labels);
            }
        ),
            ("PGD", () =>
            {
                using var scope = torch.NewDisposeScope();
                Train(network, objective.Prepare(network, images, labels, new SeededRandom(0, RandomUse.Objective))[0], labels);
            }
        ));
        Console.WriteLine(FormattableString.Invariant(
            $"{name}, batch {TrainingBatch}, PGD-{Steps} training step: {1000 * timings[1].Median:0} ms, {timings[1].RatioTo(timings[0]):0.000} of {Steps} bare input gradients and one bare training pass ({Rounds} rounds; goal: at most 1.10)"));
    }

    private static void Alone(Attack attack, int count)
    {
        using var network = NetworkCatalogue.Create("resnet8", 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 0);
        network.eval();
        using var noGradients = torch.no_grad();
        using var images = torch.rand(count, 3, 32, 32) * 0.5 + 0.25;
        var model = new AttackedModel(network);
        // Labels that no attack within this threat reaches easily: the passes are those of robust images.
        using var labels = network.call(images).argmax(1);
        var indices = Enumerable.Range(0, count).Select(i => (long)i).ToArray();
        attack.Perturb(model, images, labels, 0, indices).Dispose();
        var (forwards, backwards) = (model.Forwards, model.Backwards);
        var start = Stopwatch.GetTimestamp();
        attack.Perturb(model, images, labels, 0, indices).Dispose();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        (forwards, backwards) = (model.Forwards - forwards, model.Backwards - backwards);

        start = Stopwatch.GetTimestamp();
        for (var done = 0L; done < backwards; done += count)
        {
            InputGradient(network, images, labels);
        }

        for (var done = backwards; done < forwards; done += count)
        {
            network.call(images).Dispose();
        }

        var bare = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(FormattableString.Invariant($"| {attack.Name}, {attack.Threat} | {forwards:n0} | {backwards:n0} | {seconds:0.0} | {seconds / bare:0.00} |"));
    }

    private static void InputGradient(ClassifierNetwork network, torch.Tensor images, torch.Tensor labels)
    {
        using var scope = torch.NewDisposeScope();
        using var gradients = torch.enable_grad();
        var variable = images.detach().requires_grad_();
        torch.autograd.grad([torch.nn.functional.cross_entropy(network.call(variable), labels)], [variable]);
    }

    private static void Train(ClassifierNetwork network, torch.Tensor images, torch.Tensor labels)
    {
        using var scope = torch.NewDisposeScope();
        network.zero_grad();
        torch.nn.functional.cross_entropy(network.call(images), labels).backward();
    }
}
