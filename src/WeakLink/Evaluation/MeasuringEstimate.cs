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
    public static MeasuringEstimate Of(Evaluator evaluator, Dataset training, bool examples)
    {
        var (settings, parts, passes, making) = (evaluator.Recipe.Evaluation, new List<string>(), (long)evaluator.Images.Count, 0.0);
        parts.Add(Words($"{evaluator.Images.Count:n0} test images"));
        if (settings.Corruptions != EvaluationRecipe.None)
        {
            var (corruptions, images) = (CommonCorruptions.Named(settings.Corruptions), Limited(settings.CorruptionImages));
            var sets = (long)Corruption.Severities * images;
            parts.Add(Words($"{corruptions.Count} corruptions in {Corruption.Severities} severities, of {images:n0} images"));
            passes += corruptions.Count * sets;
            making += settings.CorruptedImages.Length > 0 ? 0 : sets * corruptions.Sum(corruption => Making(new CorruptedDataset(evaluator.Images, evaluator.Crop, corruption, TrialSeverity, evaluator.Recipe.Seed)));
        }

        if (settings.Perturbations != EvaluationRecipe.None)
        {
            var (perturbations, sequences) = (CommonPerturbations.Named(settings.Perturbations), Limited(settings.PerturbationImages));
            parts.Add(Words($"{perturbations.Count} perturbations, {sequences:n0} sequences of each"));
            passes += sequences * perturbations.Sum(perturbation => (long)perturbation.Frames(SeverityTables.For(evaluator.Crop.Height, evaluator.Crop.Width)));
            making += settings.PerturbedImages.Length > 0 ? 0 : sequences * perturbations.Sum(perturbation => Making(new PerturbedDataset(evaluator.Images, evaluator.Crop, perturbation, evaluator.Recipe.Seed)));
        }

        if (settings.Subnets > 0)
        {
            var images = Limited(settings.SubnetImages);
            parts.Add(Words($"{2 * settings.Subnets} subnets of {images:n0} images, after a search of {settings.SearchUpdates:n0} steps"));
            passes += images + (2L * settings.Subnets * (images + Math.Min(settings.RecalibrationImages, training.Count)))
                + ((long)settings.SearchUpdates * Math.Min(SubnetEvaluation.RewardImages, training.Count));
        }

        if (examples && settings.CurveImages > 0)
        {
            var images = Limited(settings.CurveImages);
            parts.Add(Words($"PGD of {RobustnessCurve.Sizes.Count} sizes on {images:n0} images"));
            passes += (long)images * (1 + (RobustnessCurve.Sizes.Count * RobustnessCurve.Passes));
        }

        var attacks = Evaluator.NamedAttacks(evaluator.Recipe).ToList();
        var attackPasses = attacks.Sum(named => named.Attacks.Sum(attack => (long)attack.Attempts(evaluator.Images.Classes.Count) * attack.Passes(evaluator.Images.Classes.Count))) * Limited(settings.AttackImages);
        if (attacks.Count > 0)
        {
            parts.Add(Words($"{string.Join(", ", attacks.Select(named => named.Name))} on {Limited(settings.AttackImages):n0} images"));
        }

        var pass = Pass(evaluator);
        return new(parts, (passes * pass) + (making / Loaders.Workers(evaluator.Recipe)), passes, attackPasses * pass, attackPasses);

        int Limited(int limit) => limit == 0 ? evaluator.Images.Count : Math.Min(limit, evaluator.Images.Count);
    }

    /// <summary>What is measured and how long that takes, in a sentence.</summary>
    public override string ToString() =>
        $"To be measured, in about {Time(Seconds)}{(AttackPasses > 0 ? $" and at most {Time(AttackSeconds)} of attacks" : "")}: {string.Join("; ", Parts)}. Settings of evaluation limit each of them.";

    private static string Words(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Seconds, in words.</summary>
    internal static string Time(double seconds) => seconds < 99.5 ? Words($"{Math.Max(1, seconds):0} s") : seconds < 99.5 * 60 ? Words($"{seconds / 60:0} minutes") : Words($"{seconds / 3600:0.#} hours");

    // Seconds that a forward pass of an image takes.
    private static double Pass(Evaluator evaluator)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        evaluator.Network.eval();
        var count = Math.Min(TrialImages, evaluator.Images.Count);
        var images = torch.rand([count, Dataset.Channels, evaluator.Crop.Height, evaluator.Crop.Width], device: evaluator.Device);
        // The first pass prepares the layers.
        return Enumerable.Range(0, 3).Select(_ => Timed(() => evaluator.Network.call(images).sum().ReadDouble())).Min() / count;
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
