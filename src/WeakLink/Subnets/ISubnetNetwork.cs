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
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <param name="subnet">What to keep; null runs the full network.</param>
    /// <param name="statistics">In training mode: receives the batch's statistics. In evaluation mode: the statistics to use.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    torch.Tensor forward(torch.Tensor images, Subnet? subnet, SubnetStatistics? statistics = null);

    /// <summary>
    /// Runs all of the network with every item of every choice multiplied by a gate, for searches that look at gradients: a gate of 1 changes nothing, one of 0 leaves the
    /// item out. Batch norms leave the running averages alone.
    /// </summary>
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <param name="gates">As many numbers as items for every choice, in the space's order.</param>
    /// <returns>Logits, N×classes, float32, differentiable in the gates.</returns>
    /// <exception cref="NotSupportedException">The network has none.</exception>
    torch.Tensor Gated(torch.Tensor images, IReadOnlyList<torch.Tensor> gates) => throw new NotSupportedException($"{GetType().Name} has no gates: implement {nameof(Gated)} for searches that look at gradients.");
}
