using TorchSharp;

namespace WeakLink.Data;

/// <summary>The images of one step.</summary>
/// <param name="Images">N×3×H×W bytes, 0-255.</param>
/// <param name="Labels">N class indices, int64.</param>
public sealed record Batch(torch.Tensor Images, torch.Tensor Labels) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}
