namespace WeakLink.Data;

/// <summary>
/// The three parts of a data set: what the network trains on, what selects the best checkpoint, and what is only measured at the end.
/// All have the same classes and image size.
/// </summary>
/// <param name="Train">Training images.</param>
/// <param name="Validation">Held out from training, to select the best checkpoint; never the test set.</param>
/// <param name="Test">Measured once, at the end.</param>
/// <param name="SkippedImages">Paths of unreadable images passed over on request (<c>--skip-bad-images</c>); empty otherwise.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset Test, IReadOnlyList<string> SkippedImages);
