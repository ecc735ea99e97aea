using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>Everything that is measured of a finished network, in float32.</summary>
/// <param name="Clean">On the images as they are.</param>
/// <param name="Corruptions">Under common corruptions; null where the recipe asks for none.</param>
/// <param name="Perturbations">Under perturbation sequences; null where the recipe asks for none.</param>
/// <param name="Attacks">Under attacks; empty where the recipe asks for none.</param>
/// <param name="Subnets">How weak its subnets are; null where the recipe asks for none.</param>
public sealed record ModelMetrics(ClassificationMetrics Clean, CorruptionMetrics? Corruptions, PerturbationMetrics? Perturbations, IReadOnlyList<RobustMetrics> Attacks, SubnetMetrics? Subnets)
{
    /// <summary>Measures as the recipe says.</summary>
    /// <param name="network">The finished network.</param>
    /// <param name="recipe">What to measure, and how images are cropped.</param>
    /// <param name="test">Images to measure on.</param>
    /// <param name="training">Training images, for the search of weak subnets and their statistics.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <param name="attackState">A folder that keeps the progress of attacks; null keeps none.</param>
    public static ModelMetrics Measure(
        ClassifierNetwork network,
        Recipe recipe,
        Dataset test,
        Dataset training,
        torch.Device device,
        IRunObserver observer,
        CancellationToken stop,
        string? attackState = null)
    {
        CheckAttacks(recipe, test);
        var clean = MeasureClean(network, recipe, test, device, observer, stop);
        var corruptions = recipe.Evaluation.Corruptions == EvaluationRecipe.None
            ? null
            : CorruptionEvaluation.Measure(network, recipe, test, device, observer, stop);
        var perturbations = recipe.Evaluation.Perturbations == EvaluationRecipe.None
            ? null
            : PerturbationEvaluation.Measure(network, recipe, test, device, observer, stop);
        return new ModelMetrics(clean, corruptions, perturbations, MeasureAttacks(network, recipe, test, device, observer, attackState, stop), recipe.Evaluation.Subnets == 0 ? null : MeasureSubnets(network, recipe, test, training, device, observer, stop));
    }

    /// <summary>Refuses attacks that these images or classes rule out, before hours go into what comes before them.</summary>
    /// <param name="recipe">What to measure.</param>
    /// <param name="test">Images to measure on.</param>
    /// <exception cref="InputException">There are too few classes for an attack, or ε is meant for images in 0 ... 255.</exception>
    public static void CheckAttacks(Recipe recipe, Dataset test)
    {
        var crop = Loaders.MeasuringCrop(recipe, test);
        foreach (var (_, attacks) in NamedAttacks(recipe))
        {
            RobustEvaluation.Check(attacks, crop, test.Classes.Count);
        }
    }

    private static IEnumerable<(string Name, IReadOnlyList<Attack> Attacks)> NamedAttacks(Recipe recipe)
    {
        var settings = recipe.Evaluation;
        if (settings.Attack == EvaluationRecipe.None)
        {
            return [];
        }

        var threat = new ThreatModel(settings.AttackNorm, ThreatModel.ParseEpsilon(settings.AttackEps));
        return settings.Attack.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(name => (name, KnownAttacks.Named(name, threat)));
    }

    private static List<RobustMetrics> MeasureAttacks(
        ClassifierNetwork network, Recipe recipe, Dataset test, torch.Device device, IRunObserver observer, string? state, CancellationToken stop)
    {
        network.eval();
        var images = StratifiedSplit.Limit(test, recipe.Evaluation.AttackImages, recipe.Seed);
        return [.. NamedAttacks(recipe).Select(named => RobustEvaluation.Measure(
            network,
            named.Name,
            named.Attacks,
            images,
            Loaders.MeasuringCrop(recipe, images),
            recipe.Evaluation.Batch,
            device,
            recipe.Seed,
            observer,
            state is null ? null : Path.Combine(Directory.CreateDirectory(state).FullName, $"{named.Name}-{named.Attacks[0].Threat}.json".ToLowerInvariant().Replace(' ', '-').Replace('/', '-')),
            stop: stop))];
    }

    private static SubnetMetrics MeasureSubnets(
        ClassifierNetwork network, Recipe recipe, Dataset test, Dataset training, torch.Device device, IRunObserver observer, CancellationToken stop)
    {
        var options = new SubnetEvaluationOptions(
            recipe.Evaluation.SubnetWidth > 0 ? recipe.Evaluation.SubnetWidth : recipe.Ews.Width,
            recipe.Evaluation.Subnets,
            recipe.Evaluation.RecalibrationImages,
            recipe.Evaluation.SearchUpdates);
        observer.Begin("subnets", options.Steps, "steps");
        return SubnetEvaluation.Measure(
            network,
            Loaders.Measuring(recipe, StratifiedSplit.Limit(test, recipe.Evaluation.SubnetImages, recipe.Seed)),
            Loaders.Recalibrating(recipe, training),
            options,
            device,
            recipe.Seed,
            done => observer.Advance(done),
            stop);
    }

    /// <summary>Measures on the images as they are.</summary>
    /// <inheritdoc cref="Measure"/>
    public static ClassificationMetrics MeasureClean(
        ClassifierNetwork network, Recipe recipe, Dataset test, torch.Device device, IRunObserver observer, CancellationToken stop)
    {
        network.eval();
        observer.Begin("measuring", test.Count, "images");
        return CleanEvaluation.Measure(network.call, Loaders.Measuring(recipe, test), device, done => observer.Advance(done), stop);
    }
}
