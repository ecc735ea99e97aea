using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>
/// A network that runs whole or as a subnet. Implement it on your own <c>nn.Module&lt;Tensor, Tensor&gt;</c> to train it with EWS.
/// </summary>
public interface ISubnetNetwork
{
    /// <summary>What a subnet of this network chooses.</summary>
    SubnetSpace Space { get; }

    /// <summary>
    /// Runs a subnet. In training mode its batch norms use the statistics of the batch and leave the running averages alone; in
    /// evaluation mode they use <paramref name="statistics"/>, or the full network's running averages where it is null.
    /// </summary>
    /// <param name="images">N×3×H×W in [0, 1]. Their type and strides decide how the network computes (float32 or bfloat16, contiguous or channels-last).</param>
    /// <param name="subnet">What to keep; null runs the full network.</param>
    /// <param name="statistics">In training mode: receives the batch's statistics. In evaluation mode: the statistics to use.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    torch.Tensor forward(torch.Tensor images, Subnet? subnet, SubnetStatistics? statistics = null);
}
