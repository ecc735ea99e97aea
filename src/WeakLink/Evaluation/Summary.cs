using System.Text.Json;

namespace WeakLink.Evaluation;

/// <summary>
/// The results of a run or an evaluation: summary.json, and what <c>evaluate --json</c> prints. Rates are fractions of 1, times seconds.
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
    public required long Images { get; init; }

    /// <summary>Trainable parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Epochs trained.</summary>
    public required int Epochs { get; init; }

    /// <summary>Number format and layout of training, such as "bf16 channels-last".</summary>
    public required string Format { get; init; }

    /// <summary>The network with the best validation accuracy, on the images as they are, in float32.</summary>
    public required CleanSummary Clean { get; init; }

    /// <summary>The same measurement of the last epoch's weights; null where only one checkpoint was measured.</summary>
    public CleanSummary? Last { get; init; }

    /// <summary>What selected the checkpoint; null for an evaluation of a checkpoint.</summary>
    public ValidationSummary? Validation { get; init; }

    /// <summary>Under common corruptions; null where they were not measured.</summary>
    public CorruptionSummary? Corruptions { get; init; }

    /// <summary>How weak the subnets are; null where none were measured.</summary>
    public SubnetSummary? Subnets { get; init; }

    /// <summary>Where the time went.</summary>
    public required SecondsSummary Seconds { get; init; }

    /// <summary>The JSON document.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json.Indented);
}

/// <summary>Accuracy and calibration.</summary>
public sealed record CleanSummary(double Top1, double Top5, double Nll, double Ece)
{
    /// <summary>The part of the metrics that a summary holds.</summary>
    public static CleanSummary Of(ClassificationMetrics metrics) => new(metrics.Top1, metrics.Top5, metrics.Nll, metrics.Ece);
}

/// <summary>Accuracy on the images held out to select the checkpoint.</summary>
public sealed record ValidationSummary(double Top1, int Epoch);

/// <summary>Accuracy of subnets.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Images">Images each was measured on.</param>
/// <param name="Recalibrated">Training images on which their batch-norm statistics were re-estimated; 0: running averages of the full network.</param>
/// <param name="Full">The full network on the same images.</param>
/// <param name="Random">Random subnets.</param>
/// <param name="Proposed">Subnets proposed by a policy trained against the network.</param>
public sealed record SubnetSummary(double Width, int Images, int Recalibrated, double Full, SpreadSummary Random, SpreadSummary Proposed)
{
    /// <summary>The part of the metrics that a summary holds.</summary>
    public static SubnetSummary Of(SubnetMetrics metrics) => new(
        metrics.Width,
        metrics.Images,
        metrics.Recalibrated,
        metrics.Full,
        new SpreadSummary(metrics.Random.Mean, metrics.Random.Min, metrics.Random.All.Count),
        new SpreadSummary(metrics.Proposed.Mean, metrics.Proposed.Min, metrics.Proposed.All.Count));
}

/// <summary>Errors under common corruptions.</summary>
/// <param name="Images">Images each corruption and severity was measured on.</param>
/// <param name="Source">"generated", or the folder that they were read from.</param>
/// <param name="Table">Which severities were generated: cifar, tinyImageNet or imageNet; null for a folder.</param>
/// <param name="Accuracy">Mean accuracy over the benchmark's corruptions and five severities.</param>
/// <param name="Mce">Mean corruption error relative to a reference model; null without one.</param>
/// <param name="RelativeMce">The same of the errors above the clean one.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Error">Error by corruption, one for each severity.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="WaitedSeconds">Part of it for which the network waited for images.</param>
public sealed record CorruptionSummary(
    int Images,
    string Source,
    string? Table,
    double Accuracy,
    double? Mce,
    double? RelativeMce,
    string? Reference,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Error,
    double Seconds,
    double WaitedSeconds)
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
            1 - metrics.MeanError,
            reference?.MeanCorruptionError(metrics),
            reference?.RelativeMeanCorruptionError(metrics, cleanError),
            reference?.Name,
            metrics.Corruptions.ToDictionary(errors => errors.Corruption.Name, errors => errors.Errors),
            metrics.Seconds,
            metrics.WaitedSeconds);
    }
}

/// <summary>Mean and least of several accuracies.</summary>
public sealed record SpreadSummary(double Mean, double Min, int Count);

/// <summary>Wall-clock seconds, and processor seconds over all cores.</summary>
public sealed record SecondsSummary(double Train, double Evaluate, double TrainProcessor);
