using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>Every subnet equally likely: the ablation of the search.</summary>
/// <param name="space">What to choose from.</param>
/// <param name="width">Subnet width ρ in (0, 1].</param>
public sealed class RandomSearch(SubnetSpace space, double width) : ISubnetSearch
{
    /// <inheritdoc/>
    public Subnet Propose(SeededRandom random) => new([.. space.Blocks.Select(block => BlockSubnet.Of(
        PlackettLuce.Sample(new float[BlockSpace.Paths], SubnetSpace.Kept(width, BlockSpace.Paths), random),
        PlackettLuce.Sample(new float[block.Channels], SubnetSpace.Kept(width, block.Channels), random)))]);

    /// <inheritdoc/>
    public void Learn(long step, SeededRandom random, double accuracy)
    {
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, torch.Tensor> State() => new Dictionary<string, torch.Tensor>();

    /// <inheritdoc/>
    public void Load(IReadOnlyDictionary<string, torch.Tensor> state)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
