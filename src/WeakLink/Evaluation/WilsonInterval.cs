namespace WeakLink.Evaluation;

/// <summary>
/// Where the accuracy on all images of a kind is likely to lie that was measured on some of them: Wilson's 95 % interval (Wilson 1927), which unlike the standard error holds for few
/// images and near 0 and 1, too.
/// </summary>
/// <param name="Low">Its lower end, in [0, 1].</param>
/// <param name="High">Its upper end, in [0, 1].</param>
public sealed record WilsonInterval(double Low, double High)
{
    /// <summary>An accuracy of fewer images is written with its interval: there it reaches more than 3 points to either side of 50 %.</summary>
    public const int FewImages = 1000;

    // Of the normal distribution, 2.5 % lie above it.
    private const double Quantile = 1.959963984540054;

    /// <summary>The interval of an accuracy.</summary>
    /// <param name="accuracy">Share of the images that is right.</param>
    /// <param name="images">Images measured, drawn independently; at least one.</param>
    public static WilsonInterval Of(double accuracy, long images)
    {
        var square = Quantile * Quantile / images;
        var centre = (accuracy + (square / 2)) / (1 + square);
        var reach = Math.Sqrt(((accuracy * (1 - accuracy)) + (square / 4)) * square) / (1 + square);
        return new(Math.Max(0, centre - reach), Math.Min(1, centre + reach));
    }
}
