namespace WeakLink.Evaluation;

/// <summary>Images of about one confidence.</summary>
/// <param name="Images">How many.</param>
/// <param name="Confidence">Their mean confidence, in [0, 1].</param>
/// <param name="Accuracy">Fraction classified correctly.</param>
public sealed record CalibrationBin([property: Limits(1, long.MaxValue)] long Images, [property: Limits(0, 1)] double Confidence, [property: Limits(0, 1)] double Accuracy);

/// <summary>Compares confidence with accuracy in 15 equal bins of confidence (Guo, Pleiss, Sun and Weinberger 2017).</summary>
public sealed class CalibrationMeter
{
    private const int Count = 15;
    private readonly long[] _images = new long[Count];
    private readonly double[] _confidence = new double[Count];
    private readonly long[] _correct = new long[Count];

    /// <summary>Adds an image.</summary>
    /// <param name="confidence">Probability of the likeliest class, in [0, 1].</param>
    /// <param name="correct">Whether that class is the label.</param>
    public void Add(double confidence, bool correct)
    {
        var bin = Math.Min((int)(confidence * Count), Count - 1);
        _images[bin]++;
        _confidence[bin] += confidence;
        _correct[bin] += correct ? 1 : 0;
    }

    /// <summary>Mean over the images of |confidence − accuracy| of their bins: the expected calibration error.</summary>
    public double ExpectedError() => Bins().Sum(bin => bin.Images * Math.Abs(bin.Confidence - bin.Accuracy)) / _images.Sum();

    /// <summary>The bins that hold images, least confident first.</summary>
    public IReadOnlyList<CalibrationBin> Bins() =>
        [.. Enumerable.Range(0, Count).Where(bin => _images[bin] > 0).Select(bin => new CalibrationBin(_images[bin], _confidence[bin] / _images[bin], (double)_correct[bin] / _images[bin]))];
}
