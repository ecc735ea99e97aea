using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>What every layer of one forward pass must know.</summary>
/// <param name="IsSubnet">Whether a subnet runs: its batch norms leave the running averages alone.</param>
/// <param name="Statistics">Where a subnet's batch-norm statistics go (training mode) or come from (evaluation mode).</param>
/// <param name="Operations">Counts multiply-adds; null counts nothing.</param>
/// <param name="Trace">Writes down every operation; null writes nothing.</param>
internal sealed record ForwardPass(bool IsSubnet = false, SubnetStatistics? Statistics = null, OperationCount? Operations = null, ForwardTrace? Trace = null)
{
    /// <summary>The positive part, by default in the memory of <paramref name="images"/>.</summary>
    public torch.Tensor Relu(torch.Tensor images, bool inPlace = true)
    {
        var result = inPlace ? images.relu_() : images.relu();
        Trace?.Add(TracedKind.Relu, result, [images]);
        return result;
    }

    /// <summary>The sum of both paths, in the memory of the residual branch.</summary>
    public torch.Tensor Add(torch.Tensor residual, torch.Tensor shortcut)
    {
        var result = residual.add_(shortcut, Kept(1));
        Trace?.Add(TracedKind.Add, result, [residual, shortcut]);
        return result;
    }

    /// <summary>The same values as a tensor of its own.</summary>
    public torch.Tensor Alias(torch.Tensor images)
    {
        var result = images.alias();
        Trace?.Alias(result, images);
        return result;
    }
}

/// <summary>Multiply-adds of convolutions and the classifier in a forward pass.</summary>
internal sealed class OperationCount
{
    public long MultiplyAdds { get; private set; }

    public void Add(long count) => MultiplyAdds += count;
}
