using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A residual block that runs whole or as what a subnet keeps of it. Its inner channels are those between its first convolution
/// and the next: a subnet computes only the kept filters of the first and reads only these inputs of the next.
/// </summary>
internal abstract class ResidualBlock : Layer
{
    private const int Residual = 0, Shortcut = 1;

    private readonly Choice _paths, _channels;

    /// <param name="kind">What kind of block it is.</param>
    /// <param name="name">What the network calls it.</param>
    /// <param name="innerChannels">Its inner channels.</param>
    protected ResidualBlock(string kind, string name, int innerChannels)
        : base(kind)
    {
        (_paths, _channels) = (new Choice($"{name}.paths", 2), new Choice($"{name}.channels", innerChannels));
    }

    /// <summary>Its paths (0 the residual branch, 1 the shortcut) and its inner channels.</summary>
    public IReadOnlyList<Choice> Choices => [_paths, _channels];

    /// <param name="images">N×C×H×W.</param>
    /// <param name="pass">The pass.</param>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass)
    {
        using var scope = torch.NewDisposeScope();
        return Run(images, new Paths(pass.Keeps(_paths, Residual), pass.Keeps(_paths, Shortcut)), pass.Kept(_channels, images.device), pass).MoveToOuterDisposeScope();
    }

    /// <summary>Which paths run.</summary>
    protected readonly record struct Paths(bool Residual, bool Shortcut);

    /// <param name="images">N×C×H×W; must stay as it is.</param>
    /// <param name="paths">Which paths run.</param>
    /// <param name="kept">Kept inner channels; null: all.</param>
    /// <param name="pass">The pass.</param>
    protected abstract torch.Tensor Run(torch.Tensor images, Paths paths, KeptChannels? kept, ForwardPass pass);

    /// <summary>What both paths give together, in the memory of the residual branch.</summary>
    /// <param name="residual">What the residual branch gives.</param>
    /// <param name="shortcut">The shortcut; null where it is left out.</param>
    /// <param name="pass">The pass.</param>
    protected torch.Tensor Sum(torch.Tensor residual, torch.Tensor? shortcut, ForwardPass pass)
    {
        residual = pass.Gated(residual, _paths, Residual);
        return shortcut is null ? residual : pass.Add(residual, pass.Gated(shortcut, _paths, Shortcut));
    }
}
