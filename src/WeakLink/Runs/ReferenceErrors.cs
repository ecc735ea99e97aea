using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Sources;

namespace WeakLink.Runs;

/// <summary>
/// What corruption errors are divided by to make corruptions of different difficulty comparable: the errors of a reference model
/// (Hendrycks and Dietterich 2019, section 4.2).
/// </summary>
/// <param name="Name">Which model.</param>
/// <param name="Clean">Its error on clean images, in [0, 1].</param>
/// <param name="Mean">Its mean error over the severities, by corruption.</param>
public sealed record ReferenceErrors(string Name, double Clean, IReadOnlyDictionary<string, double> Mean)
{
    /// <summary>The severities that the means are over.</summary>
    public IReadOnlyList<int> Severities { get; init; } = Corruption.AllSeverities;

    /// <summary>
    /// AlexNet on ImageNet-C: the errors published with the benchmark (hendrycks/robustness; the 15 also in google-research/augmix,
    /// imagenet.py). Only for 1,000-class ImageNet: elsewhere they mean nothing.
    /// </summary>
    public static ReferenceErrors AlexNet { get; } = new("AlexNet", 0.435, new Dictionary<string, double>
    {
        ["gaussian_noise"] = 0.886428,
        ["shot_noise"] = 0.894468,
        ["impulse_noise"] = 0.922640,
        ["defocus_blur"] = 0.819880,
        ["glass_blur"] = 0.826268,
        ["motion_blur"] = 0.785948,
        ["zoom_blur"] = 0.798360,
        ["snow"] = 0.866816,
        ["frost"] = 0.826572,
        ["fog"] = 0.819324,
        ["brightness"] = 0.564592,
        ["contrast"] = 0.853204,
        ["elastic_transform"] = 0.646056,
        ["pixelate"] = 0.717840,
        ["jpeg_compression"] = 0.606500,
    });

    /// <summary>The errors of a model measured before.</summary>
    /// <param name="path">Its summary.json, or a run folder.</param>
    /// <param name="measured">What is to be measured relative to it.</param>
    /// <exception cref="InputException">The file is missing, damaged, or does not hold the errors under these corruptions.</exception>
    public static ReferenceErrors From(string path, IReadOnlyList<Corruption> measured)
    {
        var summary = Summary.Read(path);
        return summary.Corruptions is not { } corruptions
            ? throw new InputException($"The reference model's summary '{path}' holds no corruption errors: evaluate it with evaluation.corruptions=benchmark, and give the JSON of that evaluation.")
            : CorruptionSummary.Counted([.. measured.Select(corruption => corruption.Name)]).FirstOrDefault(name => !corruptions.Error.ContainsKey(name)) is { } missing
            ? throw new InputException($"The reference model's summary '{path}' holds no errors under {missing}: evaluate it under the same corruptions, and give the JSON of that evaluation.")
            : new ReferenceErrors(summary.Model, 1 - summary.Clean.Top1, corruptions.Error.ToDictionary(pair => pair.Key, pair => pair.Value.Average()))
            {
                Severities = corruptions.Severities ?? Corruption.AllSeverities,
            };
    }

    /// <summary>What corruption errors are relative to where no reference is named: AlexNet for the 1,000 classes of ImageNet, in images for which ImageNet-C's severities were chosen; nothing for others.</summary>
    /// <param name="classes">Names of the classes that the network knows.</param>
    /// <param name="height">Height of what it sees of an image, in pixels.</param>
    /// <param name="width">Width.</param>
    public static ReferenceErrors? Usual(IReadOnlyList<string> classes, int height, int width) =>
        ImageNetClasses.Are(classes) && SeverityTables.For(height, width) == SeverityTable.ImageNet ? AlexNet : null;

    /// <summary>Errors beside those of the reference.</summary>
    /// <param name="measured">The errors.</param>
    /// <param name="clean">The measured network's error on clean images.</param>
    public CorruptionSummary Relate(CorruptionSummary measured, double clean)
    {
        return measured with { Mce = Finite(MeanCorruptionError(measured)), RelativeMce = Finite(RelativeMeanCorruptionError(measured, clean)), Reference = Name };

        // A reference without a single error (above its clean one) is one that nothing can be relative to.
        static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
    }

    /// <summary>Mean corruption error (mCE): the mean of error / reference error; 1 is as bad as the reference.</summary>
    /// <returns>Null where the reference lacks a corruption, or was measured with other severities.</returns>
    public double? MeanCorruptionError(CorruptionSummary measured) =>
        Knows(measured) ? CorruptionSummary.Counted(measured.Error).Average(one => one.Error / Mean[one.Corruption]) : null;

    /// <summary>Relative mCE: the same of the errors above the clean one, which tells robustness from accuracy.</summary>
    /// <param name="measured">The errors.</param>
    /// <param name="clean">The measured network's clean error.</param>
    /// <returns>Null where the reference lacks a corruption, or was measured with other severities.</returns>
    public double? RelativeMeanCorruptionError(CorruptionSummary measured, double clean) =>
        Knows(measured) ? CorruptionSummary.Counted(measured.Error).Average(one => (one.Error - clean) / (Mean[one.Corruption] - Clean)) : null;

    private bool Knows(CorruptionSummary measured) =>
        (measured.Severities ?? Corruption.AllSeverities).SequenceEqual(Severities) && CorruptionSummary.Counted(measured.Error).All(one => Mean.ContainsKey(one.Corruption));
}
