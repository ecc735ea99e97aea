namespace WeakLink.Evaluation;

/// <summary>How well a classifier does on the images of one class: a row of the confusion matrix.</summary>
/// <param name="Images">Images of the class.</param>
/// <param name="Accuracy">Share of them that is classified correctly.</param>
/// <param name="TakenFor">How many of the others are taken for which class, most first.</param>
public sealed record ClassAccuracy(
    [property: Limits(1, int.MaxValue)] int Images, [property: Limits(0, 1)] double Accuracy, [property: Limits(1, int.MaxValue)] IReadOnlyDictionary<string, int> TakenFor)
{
    /// <summary>The classes of which there are images, by name, in their order.</summary>
    /// <param name="predictions">What became of the images.</param>
    /// <param name="classes">Class names.</param>
    public static IReadOnlyDictionary<string, ClassAccuracy> Of(IEnumerable<Prediction> predictions, IReadOnlyList<string> classes) =>
        predictions.GroupBy(prediction => prediction.Label).OrderBy(group => group.Key).ToDictionary(
            group => classes[group.Key],
            group => new ClassAccuracy(
                group.Count(),
                group.Average(prediction => prediction.IsCorrect ? 1.0 : 0),
                group.Where(prediction => !prediction.IsCorrect).GroupBy(prediction => prediction.Predicted).OrderByDescending(other => other.Count())
                    .ToDictionary(other => classes[other.Key], other => other.Count())));

    /// <summary>The columns of a confusion matrix: the classes of which there are images, and behind them those that images are taken for besides.</summary>
    /// <param name="classes">Its rows.</param>
    public static IReadOnlyList<string> Answers(IReadOnlyDictionary<string, ClassAccuracy> classes) =>
        [.. classes.Keys, .. classes.Values.SelectMany(one => one.TakenFor.Keys).Distinct().Where(name => !classes.ContainsKey(name))];
}
