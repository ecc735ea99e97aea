using TorchSharp;

namespace WeakLink;

/// <summary>The values that tensors have now, which they get back, to the bit, when it is disposed of.</summary>
/// <param name="tensors">The tensors.</param>
internal sealed class FormerValues(IReadOnlyList<torch.Tensor> tensors) : IDisposable
{
    private torch.Tensor[] _values = Copies(tensors);

    /// <inheritdoc/>
    public void Dispose()
    {
        using var noGradients = torch.no_grad();
        foreach (var (tensor, value) in tensors.Zip(_values))
        {
            tensor.copy_(value);
            value.Dispose();
        }

        // A second time there is nothing to put back.
        _values = [];
    }

    private static torch.Tensor[] Copies(IReadOnlyList<torch.Tensor> tensors)
    {
        using var noGradients = torch.no_grad();
        return [.. tensors.Select(tensor => tensor.clone().DetachFromDisposeScope())];
    }
}
