using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// The channels that a subnet keeps of a choice. Their number is filled up with zeros to a width that the processor's vectors
/// divide: mostly faster (docs/benchmarks.md), and oneDNN's own padding, which has been wrong, has nothing to do. Zero filters,
/// scales and shifts stay zero through ReLU and add nothing to the next convolution, so the result is the same.
/// </summary>
public sealed class KeptChannels
{
    private readonly torch.Tensor? _indices;
    private readonly torch.Tensor? _gates;
    private readonly long _zeros;

    /// <param name="channels">The kept channels; null: all.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="fill">Whether to fill up: what is exported or counted is what the subnet keeps.</param>
    /// <param name="gates">What all channels are multiplied with; null: nothing.</param>
    internal KeptChannels(IReadOnlyList<long>? channels, torch.Device device, bool fill, torch.Tensor? gates = null)
    {
        _gates = gates;
        if (channels is not null)
        {
            _indices = torch.tensor(channels as long[] ?? [.. channels], device: device);
            _zeros = (fill ? Filled(channels.Count) : channels.Count) - channels.Count;
        }
    }

    /// <summary>The kept entries along a dimension, then zeros.</summary>
    internal torch.Tensor Of(torch.Tensor values, int dimension = 0)
    {
        if (_indices is null)
        {
            return values;
        }

        var kept = values.index_select(dimension, _indices);
        if (_zeros == 0)
        {
            return kept;
        }

        // Counted from the last dimension: (before, after) of each.
        var padding = new long[2 * (kept.dim() - dimension)];
        padding[^1] = _zeros;
        return torch.nn.functional.pad(kept, padding);
    }

    /// <summary>The inputs of a convolution's weights that are kept, times their gates: as if the channels themselves were multiplied, for less.</summary>
    /// <param name="weight">Filters×channels×height×width.</param>
    internal torch.Tensor OfInputs(torch.Tensor weight) => Of(_gates is null ? weight : weight * _gates.view(1, -1, 1, 1), 1);

    // Numbers of float32 in a vector, the blocks that libtorch's routines store channels in.
    private static readonly long Vector = Avx512F.IsSupported ? 16 : 8;

    // The widest block of vectors that wastes at most an eighth; one vector in any case.
    private static long Filled(long count) =>
        new long[] { 64, 32, 16 }.Select(block => UpTo(count, block)).FirstOrDefault(filled => 8 * (filled - count) <= count, UpTo(count, Vector));

    private static long UpTo(long count, long block) => (count + block - 1) / block * block;
}
