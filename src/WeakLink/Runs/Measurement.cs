using System.Diagnostics;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Runs;

/// <summary>Everything that a recipe asks to be measured of a trained network: the one way to put a <see cref="Runs.Summary"/> together.</summary>
/// <param name="Summary">The numbers.</param>
/// <param name="Predictions">What the network makes of each image.</param>
/// <param name="Pictures">PNG files of the summary's examples, by name; empty where it has none.</param>
/// <param name="WeakestSubnet">The weakest of the measured subnets; null where none were measured.</param>
public sealed record Measurement(Summary Summary, IReadOnlyList<Prediction> Predictions, IReadOnlyDictionary<string, byte[]> Pictures, Subnet? WeakestSubnet = null)
{
    /// <summary>Measures.</summary>
    /// <param name="model">The model.</param>
    /// <param name="evaluator">Its network, what to measure, and on which images; what it keeps is not measured again.</param>
    /// <param name="training">Training images, for the search of weak subnets and their statistics.</param>
    /// <param name="examples">Whether images to look at are chosen, and attacked: the curve of growing attacks comes with them.</param>
    /// <param name="errors">What corruption errors are divided by; null: what is usual for the classes.</param>
    /// <param name="stability">A model that stability is relative to (see <see cref="Summary.ReadReference"/>); null: none.</param>
    /// <returns>The summary tells of the checkpoint; what only its run or its images know is left to who measures them.</returns>
    /// <exception cref="InputException">Anything that the user has to change.</exception>
    public static Measurement Of(
        TrainedModel model, Evaluator evaluator, Dataset training, bool examples, ReferenceErrors? errors = null, Summary? stability = null)
    {
        var clock = Stopwatch.GetTimestamp();
        var recipe = evaluator.Recipe;
        Evaluator.CheckAttacks(recipe, evaluator.Images);
        var clean = evaluator.Clean();
        var corrupted = evaluator.Corrupted();
        var testTime = evaluator.TestTime();
        var perturbed = evaluator.Perturbed();
        var attacked = evaluator.Attacked();
        var subnets = evaluator.Subnets(training);
        RobustnessCurve? curve = null;
        Examples? shown = null;
        IReadOnlyDictionary<string, byte[]> pictures = new Dictionary<string, byte[]>();
        if (examples)
        {
            (curve, var broken) = evaluator.UnderGrowingAttacks();
            (shown, pictures) = ExampleDrawing.Draw(evaluator, clean.Predictions, broken);
        }

        errors ??= ReferenceErrors.Usual(model.Classes, evaluator.Crop.Height, evaluator.Crop.Width);
        var summary = new Summary
        {
            Version = Summary.CurrentVersion,
            Data = evaluator.Images.Name,
            Model = recipe.Model.Name,
            Seed = recipe.Seed,
            Ews = recipe.Ews.Search.ToString().ToLowerInvariant(),
            Images = clean.Predictions.Count,
            Parameters = model.Network.ParameterCount,
            Epochs = model.Position.Epoch,
            Format = new ComputeFormat(recipe.Training.Precision, recipe.Training.Layout).ToString(),
            MeasuredIn = evaluator.Format?.ToString() ?? "exact",
            Clean = clean.Summary,
            Calibration = clean.Calibration,
            Classes = ClassAccuracy.Of(clean.Predictions, model.Classes),
            Corruptions = corrupted is not null && errors is not null ? errors.Relate(corrupted, 1 - clean.Summary.Top1) : corrupted,
            TestTime = testTime is { Corruptions: { } own } && errors is not null ? testTime with { Corruptions = errors.Relate(own, 1 - testTime.Clean.Top1) } : testTime,
            Perturbations = perturbed is not null && stability?.Perturbations is { } reference ? perturbed.RelativeTo(reference, stability.Model) : perturbed,
            Attacks = attacked,
            Curve = curve,
            Subnets = subnets?.Summary,
            Examples = shown,
            Arithmetic = Arithmetic.Report,
            Seconds = new SecondsSummary(model.Position.Seconds, (evaluator.Kept?.SecondsBefore ?? 0) + Stopwatch.GetElapsedTime(clock).TotalSeconds, model.Position.ProcessorSeconds),
        };
        return new(summary, clean.Predictions, pictures, subnets?.Weakest);
    }
}
