using WeakLink.Evaluation;
using WeakLink.Recipes;

namespace WeakLink.Tests.Evaluation;

public class MeasuringBudgetTests
{
    private static readonly EvaluationRecipe Usual = new();

    [Fact]
    public void WhatFits_IsNotCut()
    {
        Assert.Equal(MeasuredSizes.Of(Usual), MeasuringBudget.Fit(Estimate(Usual), Usual, 1e6));
        Assert.Null(MeasuringBudget.Told(Estimate(Usual), Usual, MeasuredSizes.Of(Usual), 1e6));
        var unlimited = Usual with { Budget = 0 };
        Assert.Equal(MeasuredSizes.Of(Usual), MeasuringBudget.Fit(Estimate(unlimited), unlimited, 1));
    }

    [Fact]
    public void WhatDoesNot_IsCut_UntilItDoes()
    {
        var trained = Seconds(Usual);
        var sizes = MeasuringBudget.Fit(Estimate(Usual), Usual, trained);
        var seconds = Seconds(sizes.In(Usual));
        // The largest that fits, and not much less.
        Assert.InRange(seconds, 0.3 * trained, 0.4 * trained);
        var told = MeasuringBudget.Told(Estimate(Usual), Usual, sizes, trained)!;
        Assert.Contains($"evaluation.corruption-images {sizes.CorruptionImages} instead of 500, evaluation.curve-images", told, StringComparison.Ordinal);
        Assert.DoesNotContain("Less is not measured", told, StringComparison.Ordinal);
    }

    [Fact]
    public void LessThanAQuickLook_IsNotMeasured()
    {
        var sizes = MeasuringBudget.Fit(Estimate(Usual), Usual, 0);
        Assert.Equal(new MeasuredSizes(100, 40, 500, 256, 20), sizes);
        Assert.Contains("Less is not measured", MeasuringBudget.Told(Estimate(Usual), Usual, sizes, 0), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsSet_IsKept()
    {
        var settings = Usual with { CorruptionImages = 0, SubnetImages = 50 };
        var sizes = MeasuringBudget.Fit(Estimate(settings), settings, 1);
        Assert.Equal((0, 50, 40), (sizes.CorruptionImages, sizes.SubnetImages, sizes.CurveImages));
        Assert.Equal(settings, MeasuredSizes.Of(settings).In(settings));
    }

    // A second for ten images of whatever kind.
    private static double Seconds(EvaluationRecipe its) => (its.CorruptionImages + its.CurveImages + its.SubnetImages + its.RecalibrationImages + its.SearchUpdates) / 10.0;

    private static MeasuringEstimate Estimate(EvaluationRecipe settings) => new([], Seconds(settings), 0, 0, 0) { Of = Estimate };
}
