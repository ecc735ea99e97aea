using System.Text.Json;
using System.Text.Json.Serialization;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Perturbations;
using WeakLink.Runtime;

namespace WeakLink.Runs;

/// <summary>
/// The results of a run or an evaluation: summary.json, and the JSON of an evaluation. Rates are fractions of 1, times seconds.
/// </summary>
public sealed record Summary
{
    /// <summary>Name of the data.</summary>
    public required string Data { get; init; }

    /// <summary>Name of the network.</summary>
    public required string Model { get; init; }

    /// <summary>Seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>Who proposed the taught subnets: off, random or policy.</summary>
    public required string Ews { get; init; }

    /// <summary>Images measured.</summary>
    [Limits(0, long.MaxValue)]
    public required long Images { get; init; }

    /// <summary>Checksum of their pixels and classes, in any order; null in summaries of older versions.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The same of all images of the network's own data, however they are split; null where it was measured on other data, and in summaries of older versions.</summary>
    public string? DataFingerprint { get; init; }

    /// <summary>Reasons to doubt all of the numbers, such as test images that the network was trained on; null in summaries of older versions.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>Trainable parameters.</summary>
    [Limits(0, long.MaxValue)]
    public required long Parameters { get; init; }

    /// <summary>Epochs trained.</summary>
    [Limits(0, int.MaxValue)]
    public required int Epochs { get; init; }

    /// <summary>Number format and layout of training, such as "bf16 channels-last".</summary>
    public required string Format { get; init; }

    /// <summary>The network with the best validation accuracy, on the images as they are, in float32.</summary>
    public required CleanSummary Clean { get; init; }

    /// <summary>The same measurement of the last epoch's weights; null where only one checkpoint was measured.</summary>
    public CleanSummary? Last { get; init; }

    /// <summary>The same measurement among the classes that the test set has; null where it was not asked for.</summary>
    public PresentSummary? PresentClasses { get; init; }

    /// <summary>What selected the checkpoint; null for an evaluation of a checkpoint.</summary>
    public ValidationSummary? Validation { get; init; }

    /// <summary>Under common corruptions; null where they were not measured.</summary>
    public CorruptionSummary? Corruptions { get; init; }

    /// <summary>Under perturbation sequences; null where they were not measured.</summary>
    [JsonPropertyName("stability")]
    public PerturbationSummary? Perturbations { get; init; }

    /// <summary>Under attacks: by attack, then by norm; null where none was measured.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, RobustSummary>>? Attacks { get; init; }

    /// <summary>File of the subnet that all of this is about; null: it is about the whole network.</summary>
    public string? Subnet { get; init; }

    /// <summary>How weak the subnets are; null where none were measured.</summary>
    public SubnetSummary? Subnets { get; init; }

    /// <summary>Whether this machine computed right; null in files of before that was checked.</summary>
    public ArithmeticReport? Arithmetic { get; init; }

    /// <summary>Checksums of the files of its run that these results rest on; null for an evaluation, and in summaries of older versions.</summary>
    public RunChecksums? Files { get; init; }

    /// <summary>Where the time went.</summary>
    public required SecondsSummary Seconds { get; init; }

    /// <summary>Reads the results of a model measured before.</summary>
    /// <param name="path">A summary.json, or a run folder.</param>
    /// <exception cref="InputException">The file is missing or damaged, or the folder holds another recipe or checkpoint than was measured.</exception>
    public static Summary Read(string path)
    {
        var file = Directory.Exists(path) ? RunFolder.SummaryOf(path) : path;
        try
        {
            var summary = Json.ReadSealed<Summary>(file, since: "files");
            if (summary.Contradiction() is { } contradiction)
            {
                throw new InputException($"The summary '{file}' contradicts itself ({contradiction}): measure the model again.");
            }

            if (file != path && summary.Files is { } files)
            {
                RunFolder.RequireFiles(path, files);
            }

            return summary;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InputException($"The summary '{file}' can't be read ({Json.Problem(exception)}): give the folder of a finished run or the JSON of an evaluation.", exception);
        }
    }

    /// <summary>Whether rates may be divided by those of a reference model, which only ones of the same images may.</summary>
    /// <param name="reference">The reference model's summary.json, or its run folder.</param>
    /// <param name="data">Name of the data that are measured.</param>
    /// <param name="fingerprint">Checksum of the images that are measured.</param>
    /// <param name="dataFingerprint">Checksum of all images of the data; null where it is not known.</param>
    /// <returns>A sentence where the images are not quite the same, or can't be compared; null where they are.</returns>
    /// <exception cref="InputException">The reference model was measured on other data.</exception>
    public static string? DoubtOfReference(string reference, string data, string fingerprint, string? dataFingerprint) => Read(reference) switch
    {
        { Fingerprint: null } => $"'{reference}' doesn't say which images the reference model was measured on (it is of an older version): whether they are these can't be checked.",
        var its when its.Fingerprint == fingerprint => null,
        var its when its.DataFingerprint == dataFingerprint && dataFingerprint is not null =>
            $"The reference model of '{reference}' was measured on other test images of the same data ({its.Images:n0} images, seed {its.Seed}): rates relative to it compare the images, too.",
        var its when its.DataFingerprint is null || dataFingerprint is null =>
            $"The reference model of '{reference}' was measured on other images ({its.Images:n0} of {its.Data}): rates relative to it compare the images, too.",
        var its => throw new InputException($"The reference model of '{reference}' was measured on other data ({its.Data}) than those here ({data}): evaluate it on these first, and give the JSON of that evaluation."),
    };

    private string? Contradiction() =>
        Corruptions is { } corruptions && corruptions.Error.FirstOrDefault(pair => pair.Value.Count != (corruptions.Severities?.Count ?? Corruption.Severities)) is { Key: { } corruption }
            ? $"corruptions.error.{corruption} does not have one number for each severity"
        : Perturbations is { } stability && !stability.Flips.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(stability.Distances.Keys)
            ? "stability.flips and stability.distances are not of the same perturbations"
        : null;

    /// <summary>The JSON document.</summary>
    public string ToJson() => Json.Sealed(this);
}

/// <summary>Accuracy and calibration.</summary>
public sealed record CleanSummary(
    [property: Limits(0, 1)] double Top1,
    [property: Limits(0, 1)] double Top5,
    [property: Limits(0, double.MaxValue)] double Nll,
    [property: Limits(0, 1)] double Ece)
{
    /// <summary>The part of the metrics that a summary holds.</summary>
    public static CleanSummary Of(ClassificationMetrics metrics) => new(metrics.Top1, metrics.Top5, metrics.Nll, metrics.Ece);
}

/// <summary>Accuracy and calibration of a network that is asked about some of its classes alone (see <see cref="WeakLink.Evaluation.PresentClasses"/>).</summary>
/// <param name="Classes">How many.</param>
/// <param name="Clean">Accuracy and calibration.</param>
public sealed record PresentSummary([property: Limits(1, int.MaxValue)] int Classes, CleanSummary Clean);

/// <summary>Accuracy on the images held out to select the checkpoint.</summary>
public sealed record ValidationSummary([property: Limits(-1, 1)] double Top1, [property: Limits(0, int.MaxValue)] int Epoch);

/// <summary>Accuracy of subnets.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Images">Images each was measured on.</param>
/// <param name="Recalibrated">Training images on which their batch-norm statistics were re-estimated; 0: running averages of the full network.</param>
/// <param name="Full">The full network on the same images.</param>
/// <param name="Random">Random subnets.</param>
/// <param name="Proposed">Subnets proposed by a policy trained against the network.</param>
public sealed record SubnetSummary(
    [property: Limits(0, 1, AboveLeast = true)] double Width,
    [property: Limits(0, int.MaxValue)] int Images,
    [property: Limits(0, int.MaxValue)] int Recalibrated,
    [property: Limits(0, 1)] double Full,
    SpreadSummary Random,
    SpreadSummary Proposed)
{
    /// <summary>The part of the metrics that a summary holds.</summary>
    public static SubnetSummary Of(SubnetMetrics metrics) => new(
        metrics.Width,
        metrics.Images,
        metrics.Recalibrated,
        metrics.Full,
        SpreadSummary.Of(metrics.Random.All),
        SpreadSummary.Of(metrics.Proposed.All));
}

/// <summary>Errors under common corruptions.</summary>
/// <param name="Images">Images each corruption and severity was measured on.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="Table">Which severities were generated: cifar, tinyImageNet or imageNet; null for a folder.</param>
/// <param name="Severities">The severities that were measured: all five, unless a folder holds fewer; null in summaries of older versions: all.</param>
/// <param name="Accuracy">Mean accuracy over the benchmark's corruptions and the severities.</param>
/// <param name="Mce">Mean corruption error relative to a reference model; null without one, or where that has no errors.</param>
/// <param name="RelativeMce">The same of the errors above the clean one.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Error">Error by corruption, one for each of the severities.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record CorruptionSummary(
    [property: Limits(0, int.MaxValue)] int Images,
    string Source,
    string? Table,
    [property: Limits(1, Corruption.Severities, NotEmpty = true)] IReadOnlyList<int>? Severities,
    [property: Limits(0, 1)] double Accuracy,
    [property: Limits(0, double.MaxValue)] double? Mce,
    double? RelativeMce,
    string? Reference,
    [property: Limits(0, 1, NotEmpty = true)] IReadOnlyDictionary<string, IReadOnlyList<double>> Error,
    [property: Limits(0, double.MaxValue)] double Seconds,
    [property: Limits(0, double.MaxValue)] double WaitedSeconds)
{
    private const int ImageNetClasses = 1000;

    /// <summary>The part of the metrics that a summary holds.</summary>
    /// <param name="metrics">The errors.</param>
    /// <param name="cleanError">The network's error on clean images.</param>
    /// <param name="classes">Classes that the network knows: for those of ImageNet, AlexNet is the reference unless another is given.</param>
    /// <param name="reference">Another reference model.</param>
    public static CorruptionSummary Of(CorruptionMetrics metrics, double cleanError, int classes, ReferenceErrors? reference = null)
    {
        reference ??= classes == ImageNetClasses ? ReferenceErrors.AlexNet : null;
        return new(
            metrics.Images,
            metrics.Source,
            metrics.Table is { } table ? JsonNamingPolicy.CamelCase.ConvertName(table.ToString()) : null,
            metrics.Severities,
            1 - metrics.MeanError,
            Finite(reference?.MeanCorruptionError(metrics)),
            Finite(reference?.RelativeMeanCorruptionError(metrics, cleanError)),
            reference?.Name,
            metrics.Corruptions.ToDictionary(errors => errors.Corruption.Name, errors => errors.Errors),
            metrics.Seconds,
            metrics.WaitedSeconds);

        // A reference without a single error (above its clean one) is one that nothing can be relative to.
        static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
    }
}

/// <summary>Stability under perturbation sequences.</summary>
/// <param name="Sequences">Sequences measured of each perturbation.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="FlipProbability">Mean over the benchmark's perturbations: how often the prediction changes from frame to frame.</param>
/// <param name="Top5Distance">Mean over them: how much the five best classes change.</param>
/// <param name="Mfr">Mean flip rate relative to a reference model; null without one.</param>
/// <param name="Mt5d">Mean top-5 distance relative to it.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Flips">Flip probability by perturbation.</param>
/// <param name="Distances">Top-5 distance by perturbation.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record PerturbationSummary(
    [property: Limits(0, int.MaxValue)] int Sequences,
    string Source,
    [property: Limits(0, 1)] double FlipProbability,
    [property: Limits(0, double.MaxValue)] double Top5Distance,
    [property: Limits(0, double.MaxValue)] double? Mfr,
    [property: Limits(0, double.MaxValue)] double? Mt5d,
    string? Reference,
    [property: Limits(0, 1, NotEmpty = true)] IReadOnlyDictionary<string, double> Flips,
    [property: Limits(0, double.MaxValue, NotEmpty = true)] IReadOnlyDictionary<string, double> Distances,
    [property: Limits(0, double.MaxValue)] double Seconds,
    [property: Limits(0, double.MaxValue)] double WaitedSeconds)
{
    /// <summary>A reference model measured before.</summary>
    /// <param name="path">Its summary.json, or a run folder.</param>
    /// <param name="perturbations">What is to be measured relative to it.</param>
    /// <exception cref="InputException">The file is missing or damaged, or the model was not measured under these perturbations.</exception>
    public static Summary ReadReference(string path, IReadOnlyList<Perturbation> perturbations)
    {
        var reference = Summary.Read(path);
        return perturbations.FirstOrDefault(perturbation => reference.Perturbations?.Flips.ContainsKey(perturbation.Name) != true) is { } missing
            ? throw new InputException($"The reference model's summary '{path}' holds no {missing.Name} sequences: evaluate it with evaluation.perturbations=benchmark, and give the JSON of that evaluation.")
            : reference;
    }

    /// <summary>The part of the metrics that a summary holds.</summary>
    /// <param name="metrics">The measurement.</param>
    /// <param name="reference">A model measured before that rates are relative to; null for none.</param>
    public static PerturbationSummary Of(PerturbationMetrics metrics, Summary? reference = null)
    {
        var known = reference?.Perturbations;
        return new(
            metrics.Sequences,
            metrics.Source,
            metrics.Counted.Average(stability => stability.FlipProbability),
            metrics.Counted.Average(stability => stability.Top5Distance),
            known is null ? null : Finite(metrics.Counted.Average(stability => stability.FlipProbability / known.Flips[stability.Perturbation.Name])),
            known is null ? null : Finite(metrics.Counted.Average(stability => stability.Top5Distance / known.Distances[stability.Perturbation.Name])),
            reference?.Model,
            metrics.Perturbations.ToDictionary(stability => stability.Perturbation.Name, stability => stability.FlipProbability),
            metrics.Perturbations.ToDictionary(stability => stability.Perturbation.Name, stability => stability.Top5Distance),
            metrics.Seconds,
            metrics.WaitedSeconds);

        // A reference that never flips is one that nothing can be relative to.
        static double? Finite(double value) => double.IsFinite(value) ? value : null;
    }
}

/// <summary>Accuracy under attack.</summary>
/// <param name="Eps">The largest perturbation, in units of [0, 1].</param>
/// <param name="Images">Images measured.</param>
/// <param name="Clean">Accuracy on them without an attack.</param>
/// <param name="Accuracy">Robust accuracy: the share that no attack broke.</param>
/// <param name="Seed">Seed of the attacks.</param>
/// <param name="Stages">Attack by attack, each on what the ones before left.</param>
/// <param name="ByClass">Clean and robust accuracy of each class that has images.</param>
/// <param name="Warnings">Reasons to doubt the robust accuracy.</param>
public sealed record RobustSummary(
    [property: Limits(ThreatModel.LeastEpsilon, double.MaxValue)] double Eps,
    [property: Limits(0, int.MaxValue)] int Images,
    [property: Limits(0, 1)] double Clean,
    [property: Limits(0, 1)] double Accuracy,
    long Seed,
    IReadOnlyList<AttackStage> Stages,
    IReadOnlyDictionary<string, ClassSummary> ByClass,
    IReadOnlyList<string> Warnings)
{
    /// <summary>The part of the metrics that a summary holds; null where there are none.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, RobustSummary>>? Of(IReadOnlyList<RobustMetrics> metrics, IReadOnlyList<string> classes) =>
        metrics.Count == 0 ? null : metrics.ToDictionary(one => one.Attack, one => (IReadOnlyDictionary<string, RobustSummary>)new Dictionary<string, RobustSummary>
        {
            [one.Threat.Norm.ToString().ToLowerInvariant()] = new(
                one.Threat.Epsilon,
                one.Images,
                one.CleanAccuracy,
                one.RobustAccuracy,
                one.Seed,
                one.Stages,
                classes.Zip(one.ByClass).Where(pair => pair.Second.Images > 0).ToDictionary(
                    pair => pair.First,
                    pair => new ClassSummary((double)pair.Second.Clean / pair.Second.Images, (double)pair.Second.Robust / pair.Second.Images)),
                one.Warnings),
        });
}

/// <summary>Accuracy of one class.</summary>
public sealed record ClassSummary([property: Limits(0, 1)] double Clean, [property: Limits(0, 1)] double Robust);

/// <summary>Wall-clock seconds, and processor seconds over all cores.</summary>
public sealed record SecondsSummary(
    [property: Limits(0, double.MaxValue)] double Train,
    [property: Limits(0, double.MaxValue)] double Evaluate,
    [property: Limits(0, double.MaxValue)] double TrainProcessor);
