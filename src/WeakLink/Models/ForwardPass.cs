using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>What every layer of one forward pass must know.</summary>
/// <param name="IsSubnet">Whether a subnet runs: its batch norms leave the running averages alone.</param>
/// <param name="Statistics">Where a subnet's batch-norm statistics go (training mode) or come from (evaluation mode).</param>
/// <param name="Operations">Counts multiply-adds; null counts nothing.</param>
internal sealed record ForwardPass(bool IsSubnet = false, SubnetStatistics? Statistics = null, OperationCount? Operations = null);

/// <summary>Multiply-adds of convolutions and the classifier in a forward pass.</summary>
internal sealed class OperationCount
{
    public long MultiplyAdds { get; private set; }

    public void Add(long count) => MultiplyAdds += count;
}
