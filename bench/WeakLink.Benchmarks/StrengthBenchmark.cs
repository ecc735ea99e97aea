using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Runs;
using WeakLink.Sources;

namespace WeakLink.Benchmarks;

/// <summary>Attacks of growing strength on one network: each must find at least what the one before finds, and twice the budget hardly more.</summary>
internal static class StrengthBenchmark
{
    private static readonly ThreatModel Threat = new(Norm.Linf, 8.0 / 255);

    /// <summary>Prints the robust accuracy under each.</summary>
    /// <param name="run">A run folder.</param>
    /// <param name="count">Test images, every class in its share.</param>
    public static void Run(string run, int count)
    {
        using var trained = TrainedModel.Load(run, torch.CPU);
        var test = DataSources.Open(trained.Recipe.Data.WithoutExtra(), trained.Recipe.Seed, new SilentObserver()).Test;
        var images = StratifiedSplit.Limit(test, count, trained.Recipe.Seed);
        Console.WriteLine($"{trained.Recipe.Model.Name} of {run}, {images.Count} test images of {images.Name}, {Threat}\n");
        Console.WriteLine("| attack | accuracy | seconds |");
        Console.WriteLine("|---|---|---|");
        foreach (var (name, attacks) in new (string, IReadOnlyList<Attack>)[]
        {
            ("FGSM", [ProjectedGradientDescent.Fgsm(Threat)]),
            ("PGD-20", KnownAttacks.Named("pgd", Threat)),
            ("APGD, cross-entropy, 100 steps", [new AutoPgd(Threat, AutoPgdLoss.CrossEntropy)]),
            ("AutoAttack, standard", AutoAttack.Standard(Threat)),
            ("the same with twice the steps and queries",
            [
                new AutoPgd(Threat, AutoPgdLoss.CrossEntropy, steps: 200),
                new AutoPgd(Threat, AutoPgdLoss.TargetedDlr, steps: 200),
                new FastAdaptiveBoundary(Threat, steps: 200),
                new SquareAttack(Threat, queries: 10_000),
            ]),
        })
        {
            var metrics = new Evaluator(trained.Network, trained.Recipe with { Seed = 0 }, images, torch.CPU, new SilentObserver()).Attacked(name, attacks);
            Console.WriteLine(FormattableString.Invariant($"| {name} | {100 * metrics.Accuracy:0.0} % | {metrics.Stages.Sum(stage => stage.Seconds):0} |"));
        }
    }
}
