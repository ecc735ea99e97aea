using TorchSharp;

namespace WeakLink.Data;

/// <summary>
/// The images of a step's batch that one process has. What is drawn for an image follows from its place in the batch, not from who has it; and what is averaged over these images counts for
/// their part of the batch, so that the sum over the processes is the average over the batch.
/// </summary>
/// <param name="Positions">Their places in the batch, from 0.</param>
/// <param name="Whole">Images in the batch.</param>
public sealed record BatchShare(IReadOnlyList<int> Positions, int Whole)
{
    /// <summary>The places of those that each of them is mixed with; empty where none are, or where all are at hand.</summary>
    public IReadOnlyList<int> Partners { get; init; } = [];

    /// <summary>Part of the batch, in (0, 1].</summary>
    public double Weight => (double)Positions.Count / Whole;

    /// <summary>All of a batch: that of a process by itself.</summary>
    public static BatchShare All(long images) => new([.. Enumerable.Range(0, (int)images)], (int)images);

    /// <summary>A mean over these images as their part of the mean over the batch.</summary>
    public torch.Tensor PartOf(torch.Tensor mean) => Positions.Count == Whole ? mean : mean * Kept(Weight);
}
