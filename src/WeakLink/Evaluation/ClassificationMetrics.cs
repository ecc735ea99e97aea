using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>How well a classifier does on labelled images.</summary>
/// <param name="Images">Images measured.</param>
/// <param name="Top1">Fraction whose likeliest class is the label.</param>
/// <param name="Top5">Fraction whose label is among the five likeliest classes (all, where there are fewer than five).</param>
/// <param name="Nll">Mean negative log-likelihood of the label in nats.</param>
/// <param name="Ece">Expected calibration error in [0, 1] (see <see cref="CalibrationMeter"/>).</param>
public sealed record ClassificationMetrics(long Images, double Top1, double Top5, double Nll, double Ece);

/// <summary>Gathers <see cref="ClassificationMetrics"/> batch by batch, so that no data set is too large.</summary>
public sealed class ClassificationMeter
{
    private readonly CalibrationMeter _calibration = new();
    private long _images;
    private long _top1;
    private long _top5;
    private double _nll;

    /// <summary>Adds a batch.</summary>
    /// <param name="logits">N×classes, any float type.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="image">What to call the i-th image added; null: by its number.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public void Add(torch.Tensor logits, torch.Tensor labels, Func<int, string>? image = null)
    {
        using var scope = torch.NewDisposeScope();
        FiniteLogits.Require(logits, position => image?.Invoke((int)_images + position) ?? $"image {_images + position}");
        var logProbabilities = logits.to(torch.float64).log_softmax(1).cpu();
        var truth = labels.cpu().unsqueeze(1);
        var (_, best) = logProbabilities.topk((int)Math.Min(5, logits.shape[1]), 1);
        var hits = best.eq(truth);
        var correct = hits.select(1, 0);
        var confidence = logProbabilities.gather(1, best.narrow(1, 0, 1)).exp().squeeze(1);

        _images += logits.shape[0];
        _top1 += correct.sum().ReadInt64();
        _top5 += hits.sum().ReadInt64();
        _nll -= logProbabilities.gather(1, truth).sum().ReadDouble();

        var confidences = confidence.data<double>().ToArray();
        var corrects = correct.data<bool>().ToArray();
        for (var i = 0; i < confidences.Length; i++)
        {
            _calibration.Add(confidences[i], corrects[i]);
        }
    }

    /// <summary>The metrics of everything added.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public ClassificationMetrics Result()
    {
        if (_images == 0)
        {
            throw new InvalidOperationException("No images were measured.");
        }

        return new ClassificationMetrics(_images, (double)_top1 / _images, (double)_top5 / _images, _nll / _images, _calibration.ExpectedError());
    }
}
