namespace WeakLink.Subnets;

/// <summary>
/// A subnet: the same network with fewer items (inner channels, paths) in every choice. A value that is passed to
/// <see cref="ISubnetNetwork.forward(TorchSharp.torch.Tensor, Subnet, SubnetStatistics)"/>, never state inside a module.
/// </summary>
/// <param name="Kept">Of every choice of the network's <see cref="SubnetSpace"/>, in its order: the items that are kept, from 0, ascending, at least one.</param>
public sealed record Subnet(IReadOnlyList<IReadOnlyList<long>> Kept)
{
    /// <summary>From what a search drew.</summary>
    /// <param name="drawn">Items of every choice, in any order.</param>
    public static Subnet Of(IEnumerable<IReadOnlyList<long>> drawn) => new([.. drawn.Select(items => (IReadOnlyList<long>)[.. items.Order()])]);

    /// <summary>Refuses a subnet of another network.</summary>
    /// <param name="space">What the network chooses.</param>
    /// <exception cref="ArgumentException">Another number of choices, or items that a choice does not have or that are not ascending.</exception>
    public void RequireOf(SubnetSpace space)
    {
        if (Kept.Count != space.Choices.Count)
        {
            throw new ArgumentException($"The subnet makes {Kept.Count} choices, the network has {space.Choices.Count}.");
        }

        for (var place = 0; place < Kept.Count; place++)
        {
            var (kept, choice) = (Kept[place], space.Choices[place]);
            if (kept.Count == 0 || kept[0] < 0 || kept[^1] >= choice.Items || kept.Zip(kept.Skip(1)).Any(pair => pair.First >= pair.Second))
            {
                throw new ArgumentException($"The subnet keeps items {string.Join(", ", kept)} of '{choice.Name}', which must be ascending numbers from 0 to {choice.Items - 1}, at least one.");
            }
        }
    }
}
