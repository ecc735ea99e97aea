namespace WeakLink.Evaluation;

/// <summary>How well a classifier does on labelled images.</summary>
/// <param name="Top1">Fraction whose likeliest class is the label.</param>
/// <param name="Top5">Fraction whose label is among the five likeliest classes (all, where there are fewer than five).</param>
/// <param name="Nll">Mean negative log-likelihood of the label in nats.</param>
/// <param name="Ece">Expected calibration error in [0, 1] (see <see cref="CalibrationMeter"/>).</param>
public sealed record CleanSummary(
    [property: Limits(0, 1)] double Top1,
    [property: Limits(0, 1)] double Top5,
    [property: Limits(0, double.MaxValue)] double Nll,
    [property: Limits(0, 1)] double Ece);

/// <summary>What a classifier makes of images, one by one and all together.</summary>
/// <param name="Summary">How well it does.</param>
/// <param name="Calibration">Its confidence beside its accuracy, in bins.</param>
/// <param name="Predictions">One for each image, in order.</param>
public sealed record CleanMeasurement(CleanSummary Summary, IReadOnlyList<CalibrationBin> Calibration, IReadOnlyList<Prediction> Predictions);
