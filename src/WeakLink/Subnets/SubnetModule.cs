using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>
/// A subnet with its statistics as a network of its own: for attacks, and whatever else takes any <c>nn.Module&lt;Tensor, Tensor&gt;</c>.
/// It holds no weights and disposes of nothing: both network and statistics stay their owners'.
/// </summary>
public sealed class SubnetModule : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    private readonly ISubnetNetwork _network;
    private readonly Subnet? _subnet;
    private readonly SubnetStatistics? _statistics;

    /// <summary>Wraps a subnet. The module is in the network's mode of this moment, so that an attack on a network in training mode is refused.</summary>
    /// <param name="network">The network.</param>
    /// <param name="subnet">What to keep; null: the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    public SubnetModule(ISubnetNetwork network, Subnet? subnet, SubnetStatistics? statistics = null)
        : base(nameof(SubnetModule))
    {
        (_network, _subnet, _statistics) = (network, subnet, statistics);
        train(network is torch.nn.Module { training: true });
    }

    /// <summary>Runs the subnet.</summary>
    /// <param name="images">N×3×H×W in [0, 1].</param>
    /// <returns>Logits, N×classes.</returns>
    public override torch.Tensor forward(torch.Tensor images) => _network.forward(images, _subnet, _statistics);

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The base class registers a module's fields as its children, and disposes of those.
    }
}
