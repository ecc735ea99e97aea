namespace WeakLink.Sources;

/// <summary>The images of each split of a data set, by class, before any is opened.</summary>
/// <param name="Train">Training images; null: none are told apart.</param>
/// <param name="Validation">Validation images; null: none are told apart.</param>
/// <param name="Test">Test images; null: none are told apart.</param>
internal sealed record SplitImages(FolderPart? Train, FolderPart? Validation, FolderPart? Test);
