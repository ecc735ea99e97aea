namespace WeakLink.Subnets;

/// <summary>What can be chosen in one residual block.</summary>
/// <param name="Channels">Inner channels: those between the block's first convolution and the next one.</param>
public readonly record struct BlockSpace(int Channels)
{
    /// <summary>Paths through a block: the residual branch and the shortcut.</summary>
    public const int Paths = 2;
}

/// <summary>Everything a subnet of a given network chooses, block by block from input to output.</summary>
/// <param name="Blocks">The network's residual blocks in forward order.</param>
public sealed record SubnetSpace(IReadOnlyList<BlockSpace> Blocks)
{
    /// <summary>How many of <paramref name="count"/> items a subnet of width ρ keeps: ceil(ρ·count), at least 1 (Guo et al. 2022, section 3).</summary>
    /// <param name="width">ρ in (0, 1].</param>
    /// <param name="count">Channels or paths to choose from.</param>
    /// <exception cref="ArgumentOutOfRangeException">ρ is not in (0, 1].</exception>
    public static int Kept(double width, int count)
    {
        if (width is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(width), width, "A subnet width must be in (0, 1].");
        }

        // 0.7 × 10 is 7.000000000000001 in binary: without the small term it would keep 8.
        return Math.Clamp((int)Math.Ceiling((width * count) - 1e-9), 1, count);
    }
}
