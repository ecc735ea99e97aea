using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// The inner channels that a subnet keeps of a block. In channels-last layout their number is filled up with zeros to a width that
/// the processor's vectors divide: batch norm is up to ten times as slow on 45 channels as on 48 (docs/benchmarks.md). Zero filters,
/// scales and shifts stay zero through ReLU and add nothing to the next convolution, so the result is the same.
/// </summary>
internal sealed class KeptChannels(IReadOnlyList<long> channels, torch.Tensor images)
{
    private readonly torch.Tensor _indices = torch.tensor(channels as long[] ?? [.. channels], device: images.device);
    private readonly long _zeros = (images.stride(1) == 1 ? Filled(channels.Count) : channels.Count) - channels.Count;

    /// <summary>The kept entries along a dimension, then zeros.</summary>
    public torch.Tensor Of(torch.Tensor values, int dimension = 0)
    {
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

    // The widest vector block that wastes at most an eighth; the narrowest in any case.
    private static long Filled(long count) =>
        new long[] { 64, 32, 16 }.Select(block => (count + block - 1) / block * block).FirstOrDefault(filled => 8 * (filled - count) <= count, (count + 15) / 16 * 16);
}
