using TorchSharp;

namespace WeakLink.Models;

/// <summary>What a network of the catalogue is made of.</summary>
internal sealed record NetworkPlan
{
    /// <summary>The catalogue's name.</summary>
    public required string Name { get; init; }

    /// <summary>Channels after the stem.</summary>
    public required int StemChannels { get; init; }

    /// <summary>Kernel size of the stem's convolution.</summary>
    public int StemKernel { get; init; } = 3;

    /// <summary>Stride of the stem's convolution.</summary>
    public int StemStride { get; init; } = 1;

    /// <summary>Whether batch norm and ReLU follow the stem's convolution.</summary>
    public bool StemNorm { get; init; } = true;

    /// <summary>Whether a 3x3 max pooling of stride 2 follows.</summary>
    public bool StemPool { get; init; }

    /// <summary>Stages by name, each with what creates its blocks.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<Func<torch.Generator, ResidualBlock>> Blocks)> Stages { get; init; }

    /// <summary>Name of the batch norm after the last block; null: there is none.</summary>
    public string? FinalNorm { get; init; }

    /// <summary>Channels after the last block.</summary>
    public required int Features { get; init; }

    /// <summary>Name of the classifier.</summary>
    public string HeadName { get; init; } = "fc";

    /// <summary>Weights of one 3x3 convolution of every block: the network has more than these.</summary>
    public required long LeastWeights { get; init; }
}
