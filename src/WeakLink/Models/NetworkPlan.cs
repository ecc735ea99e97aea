using System.Globalization;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>What a residual network is made of.</summary>
internal sealed record NetworkPlan
{
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

    /// <summary>Stages by name, each with what creates its blocks of their names.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<Func<string, torch.Generator, ResidualBlock>> Blocks)> Stages { get; init; }

    /// <summary>Name of the batch norm after the last block; null: there is none.</summary>
    public string? FinalNorm { get; init; }

    /// <summary>Channels after the last block.</summary>
    public required int Features { get; init; }

    /// <summary>Name of the classifier.</summary>
    public string ClassifierName { get; init; } = "fc";

    /// <summary>Weights of one 3x3 convolution of every block: the network has more than these.</summary>
    public required long LeastWeights { get; init; }

    /// <summary>A network of stages whose first blocks halve the image, but for the first stage's.</summary>
    /// <param name="stage">Name of a stage, with {0} for its number from 1.</param>
    /// <param name="stem">Channels before the first.</param>
    /// <param name="channels">Inner channels of the blocks of each stage.</param>
    /// <param name="blocks">Blocks of each stage.</param>
    /// <param name="expansion">Output channels of a block for each inner one.</param>
    /// <param name="create">Creates a block of a name, reading so many channels, with so many inner ones and a stride.</param>
    public static NetworkPlan Of(string stage, int stem, int[] channels, int[] blocks, int expansion, Func<string, int, int, int, torch.Generator, ResidualBlock> create) => new()
    {
        StemChannels = stem,
        Features = channels[^1] * expansion,
        // Every kind of block has a 3x3 convolution from its inner channels to as many.
        LeastWeights = channels.Zip(blocks).Sum(one => 9L * one.First * one.First * one.Second),
        Stages = StagesOf(stage, channels, blocks, stem, expansion, create),
    };

    private static List<(string, IReadOnlyList<Func<string, torch.Generator, ResidualBlock>>)> StagesOf(
        string name, int[] channels, int[] blocks, int from, int expansion, Func<string, int, int, int, torch.Generator, ResidualBlock> create)
    {
        var stages = new List<(string, IReadOnlyList<Func<string, torch.Generator, ResidualBlock>>)>();
        for (var stage = 0; stage < channels.Length; stage++)
        {
            var creators = new List<Func<string, torch.Generator, ResidualBlock>>();
            for (var block = 0; block < blocks[stage]; block++)
            {
                var (reads, inner, stride) = (from, channels[stage], stage > 0 && block == 0 ? 2 : 1);
                creators.Add((called, generator) => create(called, reads, inner, stride, generator));
                from = channels[stage] * expansion;
            }

            stages.Add((string.Format(CultureInfo.InvariantCulture, name, stage + 1), creators));
        }

        return stages;
    }
}
