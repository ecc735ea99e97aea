using System.Globalization;
using WeakLink.Recipes;

namespace WeakLink.Evaluation;

/// <summary>Sizes of a measurement that was cut to fit into <see cref="EvaluationRecipe.Budget"/>; they are called as the recipe's keys.</summary>
/// <param name="CorruptionImages">Images of each corruption and severity.</param>
/// <param name="CurveImages">Images that are attacked with PGD of growing size.</param>
/// <param name="SubnetImages">Images that each subnet is measured on.</param>
/// <param name="RecalibrationImages">Training images of each subnet's statistics.</param>
/// <param name="SearchUpdates">Updates of the policy that proposes subnets.</param>
public sealed record MeasuredSizes(
    [property: Limits(0, int.MaxValue)] int CorruptionImages,
    [property: Limits(0, int.MaxValue)] int CurveImages,
    [property: Limits(0, int.MaxValue)] int SubnetImages,
    [property: Limits(0, int.MaxValue)] int RecalibrationImages,
    [property: Limits(0, int.MaxValue)] int SearchUpdates)
{
    private static readonly EvaluationRecipe Usual = new(), Least = new Recipe().With([.. EvaluationRecipe.Quick]).Evaluation;

    /// <summary>A recipe's own sizes, those that are as by default times a factor, but no smaller than those of <see cref="EvaluationRecipe.Quick"/>.</summary>
    internal static MeasuredSizes Of(EvaluationRecipe settings, double factor = 1)
    {
        return new(
            Cut(its => its.CorruptionImages), Cut(its => its.CurveImages), Cut(its => its.SubnetImages), Cut(its => its.RecalibrationImages), Cut(its => its.SearchUpdates));

        int Cut(Func<EvaluationRecipe, int> size) => size(settings) == size(Usual) ? Math.Max(size(Least), (int)(factor * size(Usual))) : size(settings);
    }

    /// <summary>The recipe's settings with these sizes.</summary>
    internal EvaluationRecipe In(EvaluationRecipe settings) => settings with
    {
        CorruptionImages = CorruptionImages,
        CurveImages = CurveImages,
        SubnetImages = SubnetImages,
        RecalibrationImages = RecalibrationImages,
        SearchUpdates = SearchUpdates,
    };

    /// <summary>What is smaller than it was, in words.</summary>
    internal string Than(MeasuredSizes before) => string.Join(", ", new (string Name, int Now, int Then)[]
    {
        ("evaluation.corruption-images", CorruptionImages, before.CorruptionImages),
        ("evaluation.curve-images", CurveImages, before.CurveImages),
        ("evaluation.subnet-images", SubnetImages, before.SubnetImages),
        ("evaluation.recalibration-images", RecalibrationImages, before.RecalibrationImages),
        ("evaluation.search-updates", SearchUpdates, before.SearchUpdates),
    }.Where(size => size.Now != size.Then).Select(size => string.Create(CultureInfo.InvariantCulture, $"{size.Name} {size.Now:n0} instead of {size.Then:n0}")));
}

/// <summary>How much is measured, so that measuring takes no more than a part of the time that training took: the sizes that nobody set are cut.</summary>
internal static class MeasuringBudget
{
    // What is estimated may take so much longer.
    private const double Margin = 1.25;
    private const int Steps = 40;

    /// <summary>The largest sizes that fit.</summary>
    /// <param name="estimate">What is to be measured with the recipe's sizes.</param>
    /// <param name="settings">The recipe's settings.</param>
    /// <param name="trained">Seconds that training took.</param>
    public static MeasuredSizes Fit(MeasuringEstimate estimate, EvaluationRecipe settings, double trained)
    {
        var sizes = Enumerable.Range(0, Steps + 1).Select(step => MeasuredSizes.Of(settings, 1 - ((double)step / Steps))).ToList();
        return settings.Budget == 0 ? sizes[0] : sizes.FirstOrDefault(one => estimate.Of(one.In(settings)).Seconds * Margin <= settings.Budget * trained) ?? sizes[^1];
    }

    /// <summary>What is cut and why, in a sentence; null: nothing.</summary>
    /// <inheritdoc cref="Fit"/>
    public static string? Told(MeasuringEstimate estimate, EvaluationRecipe settings, MeasuredSizes sizes, double trained)
    {
        var changed = sizes.Than(MeasuredSizes.Of(settings));
        var fitted = estimate.Of(sizes.In(settings));
        return changed.Length == 0 ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"Measured in about {MeasuringEstimate.Time(fitted.Seconds)} instead of {MeasuringEstimate.Time(estimate.Seconds)}, as training took {MeasuringEstimate.Time(trained)} (evaluation.budget {settings.Budget:0.##}): {changed}.{(fitted.Seconds > settings.Budget * trained ? " Less is not measured." : "")} A size that is set is kept; evaluation.budget=0 keeps all.");
    }
}
