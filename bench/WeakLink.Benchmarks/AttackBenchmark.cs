using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;

namespace WeakLink.Benchmarks;

/// <summary>What attacks cost beyond the forward and backward passes that they need, in float32 on 32x32 images.</summary>
internal static class AttackBenchmark
{
    private const int TrainingBatch = 128;
    private const int Steps = 10;
    private const int Rounds = 5;
    private const int RoundsAlone = 3;
    private static readonly ThreatModel Threat = new(Norm.Linf, 8.0 / 255);

    public static void Run(int images)
    {
        foreach (var name in new[] { "resnet20", "resnet18" })
        {
            InTraining(name);
        }

        Console.WriteLine($"\nresnet8, {images} images at a time: each attack alone, against the passes that it needs ({RoundsAlone} rounds)");
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
            new FastAdaptiveBoundary(new ThreatModel(Norm.L1, 12), targets: 1),
            new SquareAttack(new ThreatModel(Norm.L1, 12), 500),
        ];
        foreach (var attack in attacks)
        {
            Alone(attack, images);
        }
    }

    /// <summary>Standard AutoAttack on a trained network, component by component. A run that was cut off goes on after its last component.</summary>
    /// <param name="run">Its run folder.</param>
    /// <param name="count">Test images, every class in its share.</param>
    public static void AutoAttackOn(string run, int count)
    {
        using var trained = TrainedModel.Load(run, torch.CPU);
        var test = DataSources.Open(trained.Recipe.Data.WithoutExtra(), trained.Recipe.Seed, new SilentObserver()).Test;
        var images = StratifiedSplit.Limit(test, count, trained.Recipe.Seed);
        var crop = Loaders.MeasuringCrop(trained.Recipe, images);
        var progress = Path.Combine(run, "attack-benchmark.json");
        var metrics = new Evaluator(trained.Network, trained.Recipe with { Seed = 0 }, images, torch.CPU, new SilentObserver()).Attacked("autoattack", AutoAttack.Standard(Threat), progress);
        Console.WriteLine(FormattableString.Invariant(
            $"AutoAttack, {Threat}, {trained.Recipe.Model.Name} on {metrics.Images} test images of {images.Name}: clean {100 * metrics.Clean:0.0}%, robust {100 * metrics.Accuracy:0.0}%, {metrics.Stages.Sum(stage => stage.Seconds):0} s\n"));
        Console.WriteLine("| attack | images | broken | seconds | forward passes | backward passes | ms a pass | of bare passes |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var stage in metrics.Stages.Where(stage => stage.Attacked > 0))
        {
            var bare = BareSeconds(trained.Network, Math.Min(stage.Attacked, trained.Recipe.Evaluation.Batch), crop, stage.Forwards, stage.Backwards);
            Console.WriteLine(FormattableString.Invariant(
                $"| {stage.Attack} | {stage.Attacked} | {stage.Broken} | {stage.Seconds:0.0} | {stage.Forwards:n0} | {stage.Backwards:n0} | {1000 * stage.Seconds / Math.Max(1, stage.Forwards + stage.Backwards):0.00} | {stage.Seconds / bare:0.00} |"));
        }

        foreach (var warning in metrics.Warnings)
        {
            Console.WriteLine("\nWarning: " + warning);
        }

        File.Delete(progress);
    }

    // How long so many passes take when nothing else is done, from a few of them.
    private static double BareSeconds(ClassifierNetwork network, int batch, CentreCrop crop, long forwards, long backwards)
    {
        using var noGradients = torch.no_grad();
        using var images = torch.rand(batch, 3, crop.Height, crop.Width);
        using var labels = torch.zeros(batch, torch.int64);
        var timings = Interleaved.Run(Rounds, ("both", () => Bare(network, images, labels, Steps, Steps)), ("forward", () => Bare(network, images, labels, Steps, 0)));
        return ((timings[0].Median * backwards) + (timings[1].Median * (forwards - backwards))) / Steps / batch;
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
                Train(network, objective.Prepare(network, [images], labels, BatchShare.All(labels.shape[0]), new SeededRandom(0, RandomUse.Objective))[0], labels);
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
        // Labels that no attack within this threat reaches easily: the passes are those of robust images.
        using var labels = network.call(images).argmax(1);
        var indices = Enumerable.Range(0, count).Select(i => (long)i).ToArray();
        AttackedModel model = null!;
        var timings = Interleaved.Run(
            RoundsAlone,
            ("attack", () =>
            {
                model = new AttackedModel(network);
                attack.Perturb(model, images, labels, 0, indices).Dispose();
            }
        ),
            ("bare", () => Bare(network, images, labels, model.Forwards / count, model.Backwards / count)));
        Console.WriteLine(FormattableString.Invariant(
            $"| {attack.Name}, {attack.Threat} | {model.Forwards:n0} | {model.Backwards:n0} | {timings[0].Median:0.0} | {timings[0].RatioTo(timings[1]):0.00} |"));
    }

    // Passes of a whole batch, of which so many are backward too.
    private static void Bare(ClassifierNetwork network, torch.Tensor images, torch.Tensor labels, long forwards, long backwards)
    {
        for (var pass = 0L; pass < backwards; pass++)
        {
            InputGradient(network, images, labels);
        }

        for (var pass = backwards; pass < forwards; pass++)
        {
            network.call(images).Dispose();
        }
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
