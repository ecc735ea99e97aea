using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>
/// Batch-norm statistics of one subnet, re-estimated on training batches: the plain mean over the batches passed through the
/// subnet in training mode. (A subnet's activations differ from the full network's, whose running averages mislead it.)
/// </summary>
public sealed class SubnetStatistics : IDisposable
{
    private readonly Dictionary<object, (torch.Tensor Mean, torch.Tensor Variance)> _layers = new(ReferenceEqualityComparer.Instance);
    private int _batches;

    /// <summary>Batches seen.</summary>
    public int Batches => _batches;

    /// <summary>Announces the next batch: call once before each forward pass in training mode.</summary>
    public void NextBatch() => _batches++;

    /// <summary>Weight of the newest batch in the plain mean: 1 / batches seen.</summary>
    public double Momentum => _batches == 0
        ? throw new InvalidOperationException("Call NextBatch before a forward pass that gathers statistics.")
        : 1.0 / _batches;

    /// <summary>The mean and variance of one layer, created (0 and 1) when first asked for.</summary>
    /// <param name="layer">The layer itself.</param>
    /// <param name="channels">Channels that the subnet keeps there.</param>
    /// <param name="device">Where the layer lives.</param>
    public (torch.Tensor Mean, torch.Tensor Variance) Layer(object layer, long channels, torch.Device device)
    {
        if (!_layers.TryGetValue(layer, out var found))
        {
            found = (torch.zeros(channels, device: device).DetachFromDisposeScope(), torch.ones(channels, device: device).DetachFromDisposeScope());
            _layers.Add(layer, found);
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (mean, variance) in _layers.Values)
        {
            mean.Dispose();
            variance.Dispose();
        }

        _layers.Clear();
    }
}
