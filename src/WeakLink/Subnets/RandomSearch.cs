namespace WeakLink.Subnets;

/// <summary>Every subnet equally likely: the ablation of the search.</summary>
/// <param name="space">What to choose from.</param>
/// <param name="width">Subnet width ρ in (0, 1].</param>
public sealed class RandomSearch(SubnetSpace space, double width) : ISubnetSearch
{
    /// <inheritdoc/>
    public Subnet Propose(SearchContext context) =>
        Subnet.Of(space.Choices.Select(choice => PlackettLuce.Sample(new float[choice.Items], choice.Kept(width), context.Random)).ToList());

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
