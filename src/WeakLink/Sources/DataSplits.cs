using WeakLink.Data;

namespace WeakLink.Sources;

/// <summary>
/// The three parts of a data set: what the network trains on, what selects the best checkpoint, and what is only measured at the end.
/// All have the same classes and image size.
/// </summary>
/// <param name="Train">Training images.</param>
/// <param name="Validation">Held out from training, to select the best checkpoint; never the test set. May be empty.</param>
/// <param name="Test">Measured once, at the end.</param>
/// <param name="SkippedImages">Paths of unreadable images passed over on request (<c>data.skip-bad-images</c>); empty otherwise.</param>
/// <param name="Extra">Images that are trained on beside <paramref name="Train"/>; null: none.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset Test, IReadOnlyList<string> SkippedImages, ExtraImages? Extra = null)
{
    /// <summary>What else lies in the data folders, and is not read.</summary>
    public PassedOver PassedOver { get; init; } = new();

    /// <summary>What its images are known by.</summary>
    /// <param name="observer">Told of images that have to be decoded for it.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    public KnownSplits Known(IRunObserver observer, CancellationToken stop = default) => new(
        KnownImages.Of(Train, observer, stop),
        KnownImages.Of(Validation, observer, stop),
        KnownImages.Of(Test, observer, stop),
        Extra is null ? null : KnownImages.Of(Extra.Images, observer, stop));
}
