using TorchSharp;

namespace WeakLink.Data;

/// <summary>The images of one step.</summary>
/// <param name="Images">VN×3×H×W bytes, 0-255: the N first views, then the N second ones ...; V is 1 but for objectives that compare views.</param>
/// <param name="Labels">N class indices, int64.</param>
/// <param name="Identities">N numbers that the draws of an image follow from (<see cref="Dataset.Identity"/>).</param>
/// <param name="Share">Which of the batch's images these are, behind which their partners come; null: all.</param>
public sealed record Batch(torch.Tensor Images, torch.Tensor Labels, IReadOnlyList<long> Identities, BatchShare? Share = null) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}
