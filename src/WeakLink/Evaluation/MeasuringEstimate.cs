using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Perturbations;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>
/// What an evaluation is about to measure, and about how long that takes: passes of images through the network, by the time that a few of them take on this machine, and the making of
/// corrupted images, by the time that one of each takes.
/// </summary>
/// <param name="Parts">What is measured, in words.</param>
/// <param name="Seconds">About how long all but the attacks take.</param>
/// <param name="Passes">Forward passes of an image, a gradient counted as three of them; attacks left out.</param>
/// <param name="AttackSeconds">How long the attacks take, at most.</param>
/// <param name="AttackPasses">The same of the attacks that the recipe names, at most: images that one breaks are spared the others.</param>
public sealed record MeasuringEstimate(IReadOnlyList<string> Parts, double Seconds, long Passes, double AttackSeconds, long AttackPasses)
{
    // Enough for a time of an image, little enough for a large network on a processor.
    private const int TrialImages = 16;
    private const int TrialSeverity = 3;

    /// <summary>Estimates.</summary>
    /// <param name="evaluator">What is to be measured; the weights of its network don't matter.</param>
    /// <param name="training">Training images, of which a search and the statistics of subnets take some.</param>
    /// <param name="examples">Whether images to look at are chosen, and attacked.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    public static MeasuringEstimate For(Evaluator evaluator, Dataset training, bool examples)
    {
        var settings = evaluator.Recipe.Evaluation;
        using var measured = evaluator.Measured();
        var (pass, ofFrozen) = (Pass(evaluator, evaluator.Network.call), Pass(evaluator, measured.Classify));
        var corruptions = settings.Corruptions == EvaluationRecipe.None ? [] : CommonCorruptions.Named(settings.Corruptions);
        var perturbations = settings.Perturbations == EvaluationRecipe.None ? [] : CommonPerturbations.Named(settings.Perturbations);
        var making = (
            Corruptions: settings.CorruptedImages.Length > 0 ? 0 : corruptions.Sum(corruption => Making(new CorruptedDataset(evaluator.Images, evaluator.Crop, corruption, TrialSeverity, evaluator.Recipe.Seed))),
            Perturbations: settings.PerturbedImages.Length > 0 ? 0 : perturbations.Sum(perturbation => Making(new PerturbedDataset(evaluator.Images, evaluator.Crop, perturbation, evaluator.Recipe.Seed))));
        return Estimate(settings);

        // Of sizes alone: what is measured stays.
        MeasuringEstimate Estimate(EvaluationRecipe sizes)
        {
            var (parts, passes, frozen, made) = (new List<string>(), 0L, (long)evaluator.Images.Count, 0.0);
            parts.Add(Words($"{evaluator.Images.Count:n0} test images"));
            if (corruptions.Count > 0)
            {
                var images = Limited(sizes.CorruptionImages);
                var sets = (long)Corruption.Severities * images;
                parts.Add(Words($"{corruptions.Count} corruptions in {Corruption.Severities} severities, of {images:n0} images"));
                frozen += corruptions.Count * sets;
                made += sets * making.Corruptions;
            }

            if (perturbations.Count > 0)
            {
                var sequences = Limited(sizes.PerturbationImages);
                parts.Add(Words($"{perturbations.Count} perturbations, {sequences:n0} sequences of each"));
                frozen += sequences * perturbations.Sum(perturbation => (long)perturbation.Frames(SeverityTables.For(evaluator.Crop.Height, evaluator.Crop.Width)));
                made += sequences * making.Perturbations;
            }

            if (sizes.Subnets > 0)
            {
                var images = Limited(sizes.SubnetImages);
                parts.Add(Words($"{2 * sizes.Subnets} subnets of {images:n0} images, after a search of {sizes.SearchUpdates:n0} steps"));
                frozen += images + (2L * sizes.Subnets * images);
                passes += (2L * sizes.Subnets * Math.Min(sizes.RecalibrationImages, training.Count)) + ((long)sizes.SearchUpdates * Math.Min(SubnetEvaluation.RewardImages, training.Count));
            }

            if (examples && sizes.CurveImages > 0)
            {
                var images = Limited(sizes.CurveImages);
                parts.Add(Words($"PGD of {RobustnessCurve.Sizes.Count} sizes on {images:n0} images"));
                passes += (long)images * (1 + (RobustnessCurve.Sizes.Count * RobustnessCurve.Passes));
            }

            var attacks = Evaluator.NamedAttacks(evaluator.Recipe).ToList();
            var attackPasses = attacks.Sum(named => named.Attacks.Sum(attack => (long)attack.Attempts(evaluator.Images.Classes.Count) * attack.Passes(evaluator.Images.Classes.Count))) * Limited(sizes.AttackImages);
            if (attacks.Count > 0)
            {
                parts.Add(Words($"{string.Join(", ", attacks.Select(named => named.Name))} on {Limited(sizes.AttackImages):n0} images"));
            }

            return new(parts, (passes * pass) + (frozen * ofFrozen) + (made / Loaders.Workers(evaluator.Recipe)), passes + frozen, attackPasses * pass, attackPasses) { Of = Estimate };
        }

        int Limited(int limit) => limit == 0 ? evaluator.Images.Count : Math.Min(limit, evaluator.Images.Count);
    }

    /// <summary>The same of other sizes.</summary>
    internal Func<EvaluationRecipe, MeasuringEstimate> Of { get; init; } = _ => throw new InvalidOperationException("Only an estimate that For made knows of other sizes.");

    /// <summary>What is measured and how long that takes, in a sentence.</summary>
    public override string ToString() =>
        $"To be measured, in about {Time(Seconds)}{(AttackPasses > 0 ? $" and at most {Time(AttackSeconds)} of attacks" : "")}: {string.Join("; ", Parts)}. Settings of evaluation limit each of them.";

    private static string Words(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Seconds, in words.</summary>
    internal static string Time(double seconds) => seconds < 99.5 ? Words($"{Math.Max(1, seconds):0} s") : seconds < 99.5 * 60 ? Words($"{seconds / 60:0} minutes") : Words($"{seconds / 3600:0.#} hours");

    // Seconds that a forward pass of an image takes.
    private static double Pass(Evaluator evaluator, Func<torch.Tensor, torch.Tensor> classify)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var count = Math.Min(TrialImages, evaluator.Images.Count);
        var images = torch.rand([count, Dataset.Channels, evaluator.Crop.Height, evaluator.Crop.Width], device: evaluator.Device);
        // The first pass prepares the layers.
        return Enumerable.Range(0, 3).Select(_ => Timed(() => classify(images).sum().ReadDouble())).Min() / count;
    }

    private static double Making(Dataset made)
    {
        var planes = new byte[made.BytesPerImage];
        return Enumerable.Range(0, 2).Select(_ => Timed(() => made.Read(0, planes))).Min();
    }

    private static double Timed(Action work)
    {
        var clock = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }
}
