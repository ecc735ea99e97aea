using System.Globalization;
using System.Text.Json.Serialization;

namespace WeakLink.Evaluation;

/// <summary>How well a classifier does on a class.</summary>
/// <param name="Precision">Share of the images taken for the class that are of it; null where none was taken for it.</param>
/// <param name="Recall">Share of its images that are taken for it.</param>
/// <param name="F1">Harmonic mean of the two: twice the images that are right, divided by those of the class and those taken for it.</param>
public sealed record ClassScores(double? Precision, double Recall, double F1);

/// <summary>What a confusion matrix says beside the accuracy, which large classes decide: always worked out from it, never kept apart.</summary>
/// <param name="Accuracy">Balanced accuracy: the mean of the classes' recalls, whatever their sizes.</param>
/// <param name="F1">The mean of the classes' F1.</param>
/// <param name="Largest">The class with the most images, the first of them.</param>
/// <param name="Baseline">Its share of the images: the accuracy of who always answers it.</param>
/// <param name="Ratio">How many times as many images the largest class has as the smallest.</param>
/// <param name="Doubt">A sentence where the images don't show that the network does better than <paramref name="Baseline"/>; null where they do.</param>
/// <param name="Classes">Class by class, by name.</param>
public sealed record ClassBalance(
    double Accuracy, double F1, string Largest, double Baseline, double Ratio, string? Doubt, IReadOnlyDictionary<string, ClassScores> Classes)
{
    // From here on who always answers the largest class looks better than chance.
    private const double Uneven = 1.5;

    /// <summary>Whether the classes differ so much in size that an accuracy needs its baseline beside it.</summary>
    [JsonIgnore]
    public bool IsUneven => Ratio > Uneven;

    /// <summary>Works it out.</summary>
    /// <param name="classes">The confusion matrix, of at least one image.</param>
    public static ClassBalance Of(IReadOnlyDictionary<string, ClassAccuracy> classes)
    {
        var takenFor = classes.Values.SelectMany(one => one.TakenFor).GroupBy(other => other.Key).ToDictionary(others => others.Key, others => others.Sum(other => (long)other.Value));
        var scores = classes.ToDictionary(one => one.Key, one =>
        {
            var right = Right(one.Value);
            var taken = right + takenFor.GetValueOrDefault(one.Key);
            return new ClassScores(taken == 0 ? null : (double)right / taken, (double)right / one.Value.Images, 2.0 * right / (one.Value.Images + taken));
        });
        var images = classes.Values.Sum(one => (long)one.Images);
        var (largest, most) = classes.MaxBy(one => one.Value.Images) is var one ? (one.Key, one.Value.Images) : default;
        var baseline = (double)most / images;
        return new(
            scores.Values.Average(one => one.Recall),
            scores.Values.Average(one => one.F1),
            largest,
            baseline,
            (double)most / classes.Values.Min(one => one.Images),
            classes.Count < 2 ? null : DoubtOf((double)classes.Values.Sum(Right) / images, images, largest, baseline),
            scores);
    }

    private static long Right(ClassAccuracy one) => one.Images - one.TakenFor.Values.Sum(times => (long)times);

    private static string? DoubtOf(double accuracy, long images, string largest, double baseline) =>
        WilsonInterval.Of(accuracy, images) is var interval && interval.Low > baseline
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"As far as {images:n0} images tell, the network does no better than always answering '{largest}': {100 * accuracy:0.0} % of them are right (95 % interval {100 * interval.Low:0.0} to {100 * interval.High:0.0} %), and {100 * baseline:0.0} % are '{largest}'.");
}
