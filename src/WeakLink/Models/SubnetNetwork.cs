using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A subnet with its statistics in the place of the network that it is of: what measures networks measures it. It has no subnets of its own. It disposes of the network; the
/// statistics stay their owner's.
/// </summary>
public sealed class SubnetNetwork : ClassifierNetwork
{
    private readonly ClassifierNetwork _network;
    private readonly Subnet _subnet;
    private readonly SubnetStatistics? _statistics;

    /// <summary>Takes a subnet, in the network's mode of this moment.</summary>
    /// <param name="network">The network.</param>
    /// <param name="subnet">What to keep.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    public SubnetNetwork(ClassifierNetwork network, Subnet subnet, SubnetStatistics? statistics)
        : base(network)
    {
        (_network, _subnet, _statistics) = (network, subnet, statistics);
        subnet.RequireOf(network.Space);
        register_module("network", network);
        // Whoever asks what the network consists of, to know it again, is told what is kept of it, and its statistics, too.
        foreach (var (choice, kept) in network.Space.Choices.Zip(subnet.Kept))
        {
            register_buffer("kept " + choice.Name.Replace('.', ' '), torch.tensor(kept.ToArray()).to(network.parameters().First().device).DetachFromDisposeScope());
        }

        foreach (var (i, statistic) in (statistics?.Tensors ?? []).Index())
        {
            register_buffer($"statistic {i}", statistic.alias().DetachFromDisposeScope());
        }

        train(network.training);
    }

    /// <inheritdoc/>
    public override SubnetSpace Space { get; } = new([]);

    /// <inheritdoc/>
    protected internal override torch.Tensor Run(torch.Tensor images, ForwardPass pass) =>
        _network.Run(images, pass with { Space = _network.Space, Subnet = _subnet, Statistics = _statistics });
}
