using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>What a classifier made of one image.</summary>
/// <param name="Index">The image's index in its data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">The likeliest class.</param>
/// <param name="Confidence">Probability of that class, in [0, 1].</param>
/// <param name="LabelProbability">Probability of the label, in [0, 1].</param>
public readonly record struct Prediction(int Index, int Label, int Predicted, float Confidence, float LabelProbability)
{
    /// <summary>Whether the likeliest class is the label.</summary>
    public bool IsCorrect => Label == Predicted;
}

/// <summary>Classifies every image of a data set.</summary>
public static class Predictions
{
    /// <summary>Classifies.</summary>
    /// <param name="classify">N×3×H×W in [0, 1], float32, to logits N×classes. Gradients are off.</param>
    /// <param name="images">The images.</param>
    /// <param name="device">Where the classifier lives.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <returns>One for each image, in order.</returns>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public static IReadOnlyList<Prediction> Of(
        Func<torch.Tensor, torch.Tensor> classify, BatchLoader images, torch.Device device, Action<int>? progress = null, CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        var predictions = new List<Prediction>();
        foreach (var batch in images.InOrder())
        {
            stop.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                var logits = FiniteLogits.Require(classify(Pixels.ToUnit(batch.Images.to(device))), position => images.Describe(predictions.Count + position));
                var probabilities = logits.to(torch.float32).softmax(1).cpu();
                var (best, predicted) = probabilities.max(1);
                var (confidences, classes) = (best.data<float>().ToArray(), predicted.data<long>().ToArray());
                var truths = probabilities.gather(1, batch.Labels.unsqueeze(1)).squeeze(1).data<float>().ToArray();
                var labels = batch.Labels.data<long>().ToArray();
                for (var i = 0; i < labels.Length; i++)
                {
                    predictions.Add(new Prediction(predictions.Count, (int)labels[i], (int)classes[i], confidences[i], truths[i]));
                }
            }

            progress?.Invoke(predictions.Count);
        }

        return predictions;
    }
}
