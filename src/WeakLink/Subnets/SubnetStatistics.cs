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
    private bool _disposed;

    /// <summary>Means and variances, layer by layer in the order of the pass.</summary>
    internal IEnumerable<torch.Tensor> Tensors => _layers.Values.SelectMany(layer => new[] { layer.Mean, layer.Variance });

    /// <summary>Batches seen.</summary>
    public int Batches => _batches;

    /// <summary>Announces the next batch: call once before each forward pass in training mode.</summary>
    /// <exception cref="ObjectDisposedException">They are disposed of.</exception>
    public void NextBatch()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _batches++;
    }

    /// <summary>Weight of the newest batch in the plain mean: 1 / batches seen.</summary>
    /// <exception cref="InvalidOperationException">No batch was announced.</exception>
    public double Momentum => _batches == 0
        ? throw new InvalidOperationException("Call NextBatch before a forward pass that gathers statistics.")
        : 1.0 / _batches;

    /// <summary>The mean and variance of one layer, created (0 and 1) when first asked for.</summary>
    /// <param name="layer">The layer itself.</param>
    /// <param name="channels">Channels that the pass computes there: those that the subnet keeps, and in some passes others that fill them up. The kept ones come first.</param>
    /// <param name="device">Where the layer lives.</param>
    /// <exception cref="ObjectDisposedException">They are disposed of.</exception>
    /// <exception cref="InvalidOperationException">No batch was announced: 0 and 1 are nobody's statistics.</exception>
    public (torch.Tensor Mean, torch.Tensor Variance) Layer(object layer, long channels, torch.Device device)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_batches == 0)
        {
            throw new InvalidOperationException("These statistics have seen no batch.");
        }

        var known = _layers.TryGetValue(layer, out var found) ? found.Mean.shape[0] : 0;
        if (known < channels)
        {
            var grown = (Grown(torch.zeros(channels - known, device: device), found.Mean), Grown(torch.ones(channels - known, device: device), found.Variance));
            found.Mean?.Dispose();
            found.Variance?.Dispose();
            _layers[layer] = found = grown;
        }

        return found.Mean.shape[0] == channels ? found : (found.Mean.narrow(0, 0, channels), found.Variance.narrow(0, 0, channels));

        static torch.Tensor Grown(torch.Tensor added, torch.Tensor? known)
        {
            using (added)
            {
                return (known is null ? added.alias() : torch.cat([known, added])).DetachFromDisposeScope();
            }
        }
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
        _disposed = true;
    }
}
