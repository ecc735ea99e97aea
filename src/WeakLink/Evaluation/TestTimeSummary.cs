using System.Text.Json.Serialization;
using WeakLink.Models;

namespace WeakLink.Evaluation;

/// <summary>
/// A network measured with batch-norm statistics of the test images (see <see cref="TestTimeStatistics"/>): another protocol than everything else, which classifies each
/// image by itself.
/// </summary>
/// <param name="Batch">Images that come together, in a seeded random order; the last batch may be smaller.</param>
/// <param name="Window">Batches over which the statistics are estimated; every set of images begins anew.</param>
/// <param name="Prior">Images that the training's statistics count for.</param>
/// <param name="Clean">On the images as they are.</param>
/// <param name="Corruptions">Under common corruptions; null where they were not measured.</param>
public sealed record TestTimeSummary(
    [property: Limits(1, int.MaxValue)] int Batch,
    [property: Limits(1, int.MaxValue)] int Window,
    [property: Limits(0, int.MaxValue)] int Prior,
    CleanSummary Clean,
    CorruptionSummary? Corruptions)
{
    /// <summary>How they were estimated, in words.</summary>
    [JsonIgnore]
    public string Protocol => FormattableString.Invariant($"batches of {Batch:n0}{(Window > 1 ? $", over the last {Window:n0} of them" : "")}, the training's counting for {Prior:n0} images");
}
