namespace WeakLink.Subnets;

/// <summary>What a subnet keeps of one block.</summary>
/// <param name="Channels">Kept inner channels, ascending, at least one.</param>
/// <param name="Residual">Whether the residual branch is kept; without it the block is its shortcut alone.</param>
/// <param name="Shortcut">Whether the shortcut is kept. At least one of the two paths is.</param>
public sealed record BlockSubnet(IReadOnlyList<long> Channels, bool Residual = true, bool Shortcut = true)
{
    private const long ResidualPath = 0;
    private const long ShortcutPath = 1;

    /// <summary>From what a search drew.</summary>
    /// <param name="paths">Kept paths (0 residual branch, 1 shortcut), in any order.</param>
    /// <param name="channels">Kept inner channels, in any order.</param>
    public static BlockSubnet Of(IReadOnlyList<long> paths, IReadOnlyList<long> channels) =>
        new([.. channels.Order()], paths.Contains(ResidualPath), paths.Contains(ShortcutPath));
}

/// <summary>
/// A subnet: the same network with fewer inner channels (and paths) in every block. A value that is passed to
/// <see cref="ISubnetNetwork.forward(TorchSharp.torch.Tensor, Subnet, SubnetStatistics)"/>, never state inside a module.
/// </summary>
/// <param name="Blocks">One choice for every block of the network, in forward order.</param>
public sealed record Subnet(IReadOnlyList<BlockSubnet> Blocks);
