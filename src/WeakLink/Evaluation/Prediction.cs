namespace WeakLink.Evaluation;

/// <summary>What a classifier made of one image.</summary>
/// <param name="Index">The image's index in its data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">The likeliest class.</param>
/// <param name="Confidence">Probability of that class, in [0, 1].</param>
/// <param name="LabelProbability">Probability of the label, in [0, 1].</param>
public readonly record struct Prediction(int Index, int Label, int Predicted, double Confidence, double LabelProbability)
{
    /// <summary>Whether the likeliest class is the label.</summary>
    public bool IsCorrect => Label == Predicted;
}
