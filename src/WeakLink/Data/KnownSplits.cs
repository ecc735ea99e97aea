using System.IO.Hashing;
using System.Text;

namespace WeakLink.Data;

/// <summary>The parts of a data set as they are known again: see <see cref="KnownImages"/>.</summary>
/// <param name="Train">Training images.</param>
/// <param name="Validation">Those that select the checkpoint.</param>
/// <param name="Test">Those that are measured.</param>
/// <param name="Extra">Extra training images; null: none.</param>
public sealed record KnownSplits(KnownImages Train, KnownImages Validation, KnownImages Test, KnownImages? Extra = null)
{
    // Of the images' names, as older versions knew them, it had 16.
    private const int FingerprintDigits = 32;

    /// <summary>Whether a recipe's checksum is one of pixels: older versions kept one of file names.</summary>
    public static bool IsFingerprint(string text) => text.Split('-')[0].Length == FingerprintDigits;

    /// <summary>A checksum of the images, their classes and the part that each is in; where there are extra images one of these follows, after a hyphen.</summary>
    public string Fingerprint()
    {
        var parts = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(string.Join(' ', Train.Fingerprint(), Validation.Fingerprint(), Test.Fingerprint())));
        return KnownImages.Text(parts) + (Extra is null ? "" : $"-{Extra.Fingerprint()}");
    }

    /// <summary>A checksum of all images and their classes, however they are split; extra ones left out.</summary>
    public string WholeFingerprint() => Train.With(Validation).With(Test).Fingerprint();

    /// <summary>A sentence for each two parts that should share no image, but do.</summary>
    public IReadOnlyList<string> Overlaps() =>
    [
        .. Trained(Test, "test images", "remove them from one of the two"),
        .. Said(Validation, "validation images", [Train, .. Extras], "the training images", "the choice of the best checkpoint favours what was learnt by heart; remove them from one of the two"),
        .. Said(Test, "test images", [Validation], "the validation images", "they chose the checkpoint that is measured on them; remove them from one of the two"),
    ];

    /// <summary>Sentences for a network that was trained on these data and is measured on images that it knows; none where it knows none of them.</summary>
    /// <param name="measured">What it is measured on.</param>
    /// <param name="what">What to call these, in the plural, such as "test images".</param>
    public IReadOnlyList<string> Met(KnownImages measured, string what) =>
    [
        .. Trained(measured, what, "take other images, or the run's own test images"),
        .. Said(measured, what, [Validation], "those that chose the network's checkpoint", "what is measured on these is a little too good"),
    ];

    private IEnumerable<KnownImages> Extras => Extra is null ? [] : [Extra];

    private IEnumerable<string> Trained(KnownImages measured, string what, string remedy) =>
        Said(measured, what, [Train, .. Extras], "those that the network is trained on", $"on these it is measured by what it remembers, not by what it can do; {remedy}");

    private static IEnumerable<string> Said(KnownImages images, string what, IEnumerable<KnownImages> among, string which, string consequence)
    {
        var count = images.CountAmong(among);
        return count == 0 ? [] : [$"{count:n0} of the {images.Hashes.Count:n0} {what} {(count == 1 ? "is" : "are")} among {which} (the same pixels): {consequence}."];
    }
}
