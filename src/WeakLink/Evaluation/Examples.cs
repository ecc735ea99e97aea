using System.Text.Json.Serialization;

namespace WeakLink.Evaluation;

/// <summary>An image to look at, and what the network takes it for. The picture is a file of its own.</summary>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">What the network takes it for.</param>
/// <param name="Picture">Name of the picture's file, beside the others.</param>
/// <param name="Checksum">XXH64 of the picture.</param>
/// <param name="Confidence">Probability of that class; null under attack.</param>
/// <param name="Corruption">What it was corrupted by; null: nothing.</param>
/// <param name="Eps">The size of the smallest attack in L∞ that broke it, in units of [0, 1]; null: it was not attacked.</param>
/// <param name="Times">How many images of its class are taken for the other; null where they were not counted.</param>
/// <param name="Name">Where the image came from, as in predictions.csv; null in summaries of older versions.</param>
public sealed record Example(
    string Label,
    string Predicted,
    string Picture,
    string Checksum,
    [property: Limits(0, 1)] double? Confidence = null,
    string? Corruption = null,
    [property: Limits(0, 1)] double? Eps = null,
    [property: Limits(1, int.MaxValue)] int? Times = null,
    string? Name = null);

/// <summary>Images to look at.</summary>
/// <param name="Severity">Severity of the corruptions.</param>
/// <param name="Corrupted">One test image that the network is sure of, as it is and under each corruption of the benchmark.</param>
/// <param name="Attacked">Images that attacks of growing size broke: beside the image what the attack made of it, and the difference, amplified.</param>
/// <param name="Confused">The pairs of classes that are confused most often.</param>
/// <param name="Hardest">Those whose class the network finds least likely.</param>
public sealed record Examples(
    [property: Limits(1, 5)] int Severity,
    IReadOnlyList<Example> Corrupted,
    IReadOnlyList<Example> Attacked,
    IReadOnlyList<Example> Confused,
    IReadOnlyList<Example> Hardest)
{
    /// <summary>Every example.</summary>
    [JsonIgnore]
    public IEnumerable<Example> All => [.. Corrupted, .. Attacked, .. Confused, .. Hardest];
}
