using TorchSharp;

namespace WeakLink.Evaluation;

/// <summary>Gathers a <see cref="CleanMeasurement"/> batch by batch, so that no data set is too large.</summary>
public sealed class ClassificationMeter
{
    private readonly CalibrationMeter _calibration = new();
    private readonly List<Prediction> _predictions = [];
    private long _top5;
    private double _nll;

    /// <summary>Images added.</summary>
    public int Images => _predictions.Count;

    /// <summary>Adds a batch.</summary>
    /// <param name="logits">N×classes, any float type.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="image">What to call the i-th image added; null: by its number.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public void Add(torch.Tensor logits, torch.Tensor labels, Func<int, string>? image = null) =>
        Add(ScoredImages.Of(logits, labels, position => image?.Invoke(Images + position) ?? $"image {Images + position}"));

    internal void Add(ScoredImages scored)
    {
        _top5 += scored.Top5;
        _nll += scored.Nll;
        for (var i = 0; i < scored.Labels.Length; i++)
        {
            var prediction = new Prediction(Images, scored.Labels[i], scored.Predicted[i], scored.Confidences[i], scored.LabelProbabilities[i]);
            _predictions.Add(prediction);
            _calibration.Add(prediction.Confidence, prediction.IsCorrect);
        }
    }

    /// <summary>What everything added says.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public CleanMeasurement Result() => Images > 0
        ? new(
            new CleanSummary((double)_predictions.Count(prediction => prediction.IsCorrect) / Images, (double)_top5 / Images, _nll / Images, _calibration.ExpectedError()),
            _calibration.Bins(),
            _predictions)
        : throw new InvalidOperationException("No images were measured.");
}
