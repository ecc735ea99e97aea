using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>What a classifier made of the images of a batch, as far as a <see cref="ClassificationMeter"/> needs it.</summary>
/// <param name="Labels">Class of each image.</param>
/// <param name="Predicted">The likeliest class of each.</param>
/// <param name="Confidences">Probability of that class.</param>
/// <param name="LabelProbabilities">Probability of the label.</param>
/// <param name="Top5">How many have their label among the five likeliest classes.</param>
/// <param name="Nll">Sum of the negative log-likelihoods of the labels, in nats.</param>
internal sealed record ScoredImages(int[] Labels, int[] Predicted, double[] Confidences, double[] LabelProbabilities, long Top5, double Nll)
{
    /// <summary>Scores a batch.</summary>
    /// <param name="logits">N×classes, any float type.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="image">What to call the i-th image of the batch.</param>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static ScoredImages Of(torch.Tensor logits, torch.Tensor labels, Func<int, string> image)
    {
        using var scope = torch.NewDisposeScope();
        FiniteLogits.Require(logits, image);
        var logProbabilities = logits.to(torch.float64).log_softmax(1).cpu();
        var truth = labels.cpu().contiguous().unsqueeze(1);
        var (_, best) = logProbabilities.topk((int)Math.Min(5, logits.shape[1]), 1);
        var likeliest = best.narrow(1, 0, 1);
        var ofTruth = logProbabilities.gather(1, truth);
        return new(
            Classes(truth),
            Classes(likeliest.contiguous()),
            logProbabilities.gather(1, likeliest).exp().data<double>().ToArray(),
            ofTruth.exp().data<double>().ToArray(),
            best.eq(truth).sum().ReadInt64(),
            -ofTruth.sum().ReadDouble());

        static int[] Classes(torch.Tensor indices) => [.. indices.data<long>().ToArray().Select(index => (int)index)];
    }
}
