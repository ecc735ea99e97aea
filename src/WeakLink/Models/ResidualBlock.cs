using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A residual block that runs whole or as what a subnet keeps of it. Its inner channels are those between its first convolution
/// and the next: a subnet computes only the kept filters of the first and reads only these inputs of the next.
/// </summary>
internal abstract class ResidualBlock : Layer
{
    protected ResidualBlock(string name, int innerChannels)
        : base(name)
    {
        Space = new BlockSpace(innerChannels);
    }

    public BlockSpace Space { get; }

    /// <param name="images">N×C×H×W.</param>
    /// <param name="subnet">What to keep; null: everything.</param>
    /// <param name="pass">The pass.</param>
    public torch.Tensor Run(torch.Tensor images, BlockSubnet? subnet, ForwardPass pass)
    {
        using var scope = torch.NewDisposeScope();
        var kept = subnet is null || subnet.Channels.Count == Space.Channels
            ? null
            : new KeptChannels(subnet.Channels, images.device, fill: pass is { Trace: null, Operations: null });
        return Run(images, new Paths(subnet?.Residual ?? true, subnet?.Shortcut ?? true), kept, pass).MoveToOuterDisposeScope();
    }

    /// <summary>Which paths run.</summary>
    protected readonly record struct Paths(bool Residual, bool Shortcut);

    /// <param name="images">N×C×H×W; must stay as it is.</param>
    /// <param name="paths">Which paths run.</param>
    /// <param name="kept">Kept inner channels; null: all.</param>
    /// <param name="pass">The pass.</param>
    protected abstract torch.Tensor Run(torch.Tensor images, Paths paths, KeptChannels? kept, ForwardPass pass);
}
