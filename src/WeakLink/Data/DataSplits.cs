using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace WeakLink.Data;

/// <summary>
/// The three parts of a data set: what the network trains on, what selects the best checkpoint, and what is only measured at the end.
/// All have the same classes and image size.
/// </summary>
/// <param name="Train">Training images.</param>
/// <param name="Validation">Held out from training, to select the best checkpoint; never the test set.</param>
/// <param name="Test">Measured once, at the end.</param>
/// <param name="SkippedImages">Paths of unreadable images passed over on request (<c>--skip-bad-images</c>); empty otherwise.</param>
/// <param name="Extra">Images that are trained on beside <paramref name="Train"/>; null: none.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset Test, IReadOnlyList<string> SkippedImages, ExtraImages? Extra = null)
{
    /// <summary>What else lies in the data folders, and is not read.</summary>
    public PassedOver PassedOver { get; init; } = new();

    /// <summary>A checksum of the names of all images (folder and file), their labels, and the part that each is in; where there are extra images one of these follows, after a hyphen.</summary>
    public string Fingerprint() => Checksum([Train, Validation, Test]) + (Extra is null ? "" : $"-{Checksum([Extra.Images])}");

    private static string Checksum(Dataset[] parts)
    {
        var hash = new XxHash3();
        foreach (var part in parts)
        {
            Add($"{part.Width}x{part.Height} {string.Join('|', part.Classes)}");
            for (var i = 0; i < part.Count; i++)
            {
                var name = part.Describe(i).Replace('\\', '/').Split('/');
                Add($"{string.Join('/', name.TakeLast(2))} {part.Label(i)}");
            }
        }

        return hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);

        void Add(string text) => hash.Append(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
