using TorchSharp;
using WeakLink.Models;

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
    public void Add(torch.Tensor logits, torch.Tensor labels, Func<int, string>? image = null)
    {
        using var scope = torch.NewDisposeScope();
        FiniteLogits.Require(logits, position => image?.Invoke(Images + position) ?? $"image {Images + position}");
        var logProbabilities = logits.to(torch.float64).log_softmax(1).cpu();
        var truth = labels.cpu().contiguous().unsqueeze(1);
        var (_, best) = logProbabilities.topk((int)Math.Min(5, logits.shape[1]), 1);
        var likeliest = best.narrow(1, 0, 1);
        var ofTruth = logProbabilities.gather(1, truth);

        _top5 += best.eq(truth).sum().ReadInt64();
        _nll -= ofTruth.sum().ReadDouble();

        var (classes, confidences) = (likeliest.contiguous().data<long>().ToArray(), logProbabilities.gather(1, likeliest).exp().data<double>().ToArray());
        var (its, probabilities) = (truth.data<long>().ToArray(), ofTruth.exp().data<double>().ToArray());
        for (var i = 0; i < its.Length; i++)
        {
            var prediction = new Prediction(Images, (int)its[i], (int)classes[i], confidences[i], probabilities[i]);
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
