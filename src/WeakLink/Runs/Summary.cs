using System.Text.Json;
using System.Text.Json.Serialization;
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
    /// <summary>The version that is written: with every change of what a summary's parts mean, or of the files that it tells of.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Version of this summary; null before there were versions.</summary>
    [Limits(1, int.MaxValue)]
    public int? Version { get; init; }

    /// <summary>The command that measured; null in a run's own summary, whose folder keeps its commands.</summary>
    public string? Command { get; init; }

    /// <summary>The recipe's evaluation settings, by key; null in a run's own summary, whose folder keeps its recipe.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>Name of the data.</summary>
    public required string Data { get; init; }

    /// <summary>Name of the network.</summary>
    public required string Model { get; init; }

    /// <summary>Seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>Who proposed the taught subnets: off, random, policy or saliency.</summary>
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

    /// <summary>How all but attacks was measured: exact, or the number format and layout that the network was frozen in; null in summaries of older versions.</summary>
    public string? MeasuredIn { get; init; }

    /// <summary>The sizes that were measured instead of the recipe's, to fit into <c>evaluation.budget</c>; null: the recipe's.</summary>
    public MeasuredSizes? Sizes { get; init; }

    /// <summary>The network with the best validation accuracy, on the images as they are.</summary>
    public required CleanSummary Clean { get; init; }

    /// <summary>The same measurement of the last epoch's weights; null where only one checkpoint was measured.</summary>
    public CleanSummary? Last { get; init; }

    /// <summary>The same measurement among the classes that the test set has; null where it was not asked for.</summary>
    public PresentSummary? PresentClasses { get; init; }

    /// <summary>What selected the checkpoint; null for an evaluation of a checkpoint.</summary>
    public ValidationSummary? Validation { get; init; }

    /// <summary>Confidence beside accuracy, in the bins that hold images; null in summaries of older versions.</summary>
    public IReadOnlyList<CalibrationBin>? Calibration { get; init; }

    /// <summary>Class by class, by name: the confusion matrix, without its zeros; null in summaries of older versions.</summary>
    public IReadOnlyDictionary<string, ClassAccuracy>? Classes { get; init; }

    /// <summary>What follows from <see cref="Classes"/>: balanced accuracy, precision, recall and F1 of each class, the largest class as baseline; null without them.</summary>
    public ClassBalance? Balance => Classes is { Count: > 0 } ? ClassBalance.Of(Classes) : null;

    /// <summary>95 % interval of the accuracy of <see cref="Clean"/>; null where nothing was measured.</summary>
    public WilsonInterval? Interval => Images > 0 ? WilsonInterval.Of(Clean.Top1, Images) : null;

    /// <summary>Under common corruptions; null where they were not measured.</summary>
    public CorruptionSummary? Corruptions { get; init; }

    /// <summary>With batch-norm statistics of the test images; null where it was not measured.</summary>
    public TestTimeSummary? TestTime { get; init; }

    /// <summary>Under perturbation sequences; null where they were not measured.</summary>
    [JsonPropertyName("stability")]
    public PerturbationSummary? Perturbations { get; init; }

    /// <summary>Under attacks: by attack, then by norm; null where none was measured.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, RobustSummary>>? Attacks { get; init; }

    /// <summary>File of the subnet that all of this is about; null: it is about the whole network.</summary>
    public string? Subnet { get; init; }

    /// <summary>Under attacks of growing size; null where they were not measured, and in summaries of older versions.</summary>
    public RobustnessCurve? Curve { get; init; }

    /// <summary>How weak the subnets are; null where none were measured.</summary>
    public SubnetSummary? Subnets { get; init; }

    /// <summary>Images to look at, whose pictures are files beside; null where none were chosen, and in summaries of older versions.</summary>
    public Examples? Examples { get; init; }

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
            if (summary.Version > CurrentVersion)
            {
                throw new InputException($"The summary '{file}' is of version {summary.Version}, and this WeakLink reads up to {CurrentVersion}: use a newer WeakLink.");
            }

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

    /// <summary>Whether a reference model's rates were measured as these were.</summary>
    /// <param name="reference">The reference model's.</param>
    /// <param name="measured">Those that are relative to it.</param>
    /// <returns>A sentence for each way in which they were not.</returns>
    public static IReadOnlyList<string> DoubtsOfReference(Summary reference, Summary measured)
    {
        return [.. new[] { Severities(), Doubt("corruptions", Corruptions(reference), Corruptions(measured)), Doubt("perturbations", Sequences(reference), Sequences(measured)) }.OfType<string>()];

        string? Severities() => reference.Corruptions is { } its && measured.Corruptions is { Mce: null } mine && !Of(its).SequenceEqual(Of(mine))
            ? $"There is no mCE: the reference model was measured in the severities {string.Join(", ", Of(its))}, this one in {string.Join(", ", Of(mine))}."
            : null;

        static string? Doubt(string what, string? its, string? mine) => its is not null && mine is not null && its != mine
            ? $"The reference model's {what} were {its}, these {mine}: rates relative to it compare that, too."
            : null;

        static IReadOnlyList<int> Of(CorruptionSummary corruptions) => corruptions.Severities ?? Corruption.AllSeverities;
        // Wherever a folder lies.
        static string? Corruptions(Summary summary) => summary.Corruptions is { } c ? FormattableString.Invariant($"{c.Images:n0} images {(c.Table is null ? "of a folder" : $"generated with the severities of {c.Table}")}") : null;
        static string? Sequences(Summary summary) => summary.Perturbations is { } p ? FormattableString.Invariant($"{p.Sequences:n0} sequences {(p.Source == CorruptionSummary.Generated ? "made of the images" : "of a folder")}") : null;
    }

    /// <summary>A reference model measured before.</summary>
    /// <param name="path">Its summary.json, or a run folder.</param>
    /// <param name="perturbations">What is to be measured relative to it.</param>
    /// <exception cref="InputException">The file is missing or damaged, or the model was not measured under these perturbations.</exception>
    public static Summary ReadReference(string path, IReadOnlyList<Perturbation> perturbations)
    {
        var reference = Read(path);
        return perturbations.FirstOrDefault(perturbation => reference.Perturbations?.Flips.ContainsKey(perturbation.Name) != true) is { } missing
            ? throw new InputException($"The reference model's summary '{path}' holds no {missing.Name} sequences: evaluate it with evaluation.perturbations=benchmark, and give the JSON of that evaluation.")
            : reference;
    }

    private string? Contradiction() =>
        Corruptions is { } corruptions && corruptions.Error.FirstOrDefault(pair => pair.Value.Count != (corruptions.Severities?.Count ?? Corruption.Severities)) is { Key: { } corruption }
            ? $"corruptions.error.{corruption} does not have one number for each severity"
        : Perturbations is { } stability && !stability.Flips.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(stability.Distances.Keys)
            ? "stability.flips and stability.distances are not of the same perturbations"
        : Classes?.FirstOrDefault(one => one.Value.TakenFor.Values.Sum(times => (long)times) > one.Value.Images) is { Key: { } name }
            ? $"classes.{name} has fewer images than are taken for others"
        : Curve is { Points.Count: 0 } ? "curve.points is empty"
        : null;

    /// <summary>The JSON document.</summary>
    public string ToJson() => Json.Sealed(this);
}

/// <summary>How the measured checkpoint was selected.</summary>
/// <param name="Top1">Its accuracy on the images held out for that; -1 where there were none.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Chosen">Whether these images chose it; otherwise they were too few, and it is the last one.</param>
public sealed record ValidationSummary([property: Limits(-1, 1)] double Top1, [property: Limits(0, int.MaxValue)] int Epoch, bool Chosen = true);

/// <summary>Wall-clock seconds, and processor seconds over all cores.</summary>
public sealed record SecondsSummary(
    [property: Limits(0, double.MaxValue)] double Train,
    [property: Limits(0, double.MaxValue)] double Evaluate,
    [property: Limits(0, double.MaxValue)] double TrainProcessor);
