using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// Batch-norm statistics of the very images that are classified, in the place of the training's or mixed with them (Schneider et al. 2020, https://arxiv.org/abs/2006.16971):
/// of n images and the prior N, N / (N + n) of the running averages and n / (N + n) of what the images give, layer by layer as they pass through. As in the authors'
/// code the images' variance is the unbiased one, which running averages hold, too. Labels play no part; which images come together does.
/// </summary>
/// <param name="prior">N: how many images the training's statistics count for; 0: those of the test images alone.</param>
/// <param name="window">Over how many batches they are estimated: the newest one and those before it; 1: each batch by itself.</param>
public sealed class TestTimeStatistics(double prior, int window) : IDisposable
{
    private readonly Dictionary<BatchNorm, Queue<Moments>> _layers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether a batch norm has asked for any.</summary>
    public bool AreUsed => _layers.Count > 0;

    /// <summary>What a layer normalises a batch with.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="images">N×C×H×W: what it reads.</param>
    /// <param name="mean">Its running average of the mean.</param>
    /// <param name="variance">Its running average of the variance.</param>
    /// <exception cref="InputException">In the first batch there is one value for each channel, which has no variance.</exception>
    public (torch.Tensor Mean, torch.Tensor Variance) Layer(BatchNorm layer, torch.Tensor images, torch.Tensor mean, torch.Tensor variance)
    {
        if (!_layers.TryGetValue(layer, out var seen))
        {
            _layers.Add(layer, seen = new Queue<Moments>());
        }

        // What is left over at the end of the images may be one, and one value has no variance: it is normalised with those of the batch before it.
        var single = images.numel() == images.shape[1];
        if (single && seen.Count == 0)
        {
            throw new InputException("Batch-norm statistics can't be estimated on one value for each channel, which has no variance: set evaluation.test-time-batch to at least 2 images.");
        }

        var (spread, centre) = torch.var_mean(images.to(torch.float32), [0, 2, 3], unbiased: !single);
        seen.Enqueue(new Moments(images.shape[0], images.numel() / images.shape[1], centre.DetachFromDisposeScope(), spread.DetachFromDisposeScope()));
        while (seen.Count > (single ? Math.Max(window, 2) : window))
        {
            seen.Dequeue().Dispose();
        }

        var count = seen.Sum(batch => batch.Images);
        var (own, its) = Pooled(seen);
        var weight = count / (prior + count);
        return (Mixed(mean, own), Mixed(variance, its));

        torch.Tensor Mixed(torch.Tensor trained, torch.Tensor seen) => (trained * Kept(1 - weight)).Plus(seen * Kept(weight));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var batch in _layers.Values.SelectMany(seen => seen))
        {
            batch.Dispose();
        }

        _layers.Clear();
    }

    // Those of all the values together, from those of each batch.
    private static (torch.Tensor Mean, torch.Tensor Variance) Pooled(Queue<Moments> batches)
    {
        if (batches.Count == 1)
        {
            return (batches.Peek().Mean, batches.Peek().Variance);
        }

        var values = batches.Sum(batch => batch.Values);
        var mean = Sum(batches.Select(batch => batch.Mean * Kept((double)batch.Values / values)));
        var squares = Sum(batches.Select(batch => (batch.Variance * Kept(batch.Values - 1)).Plus((batch.Mean - mean).Squared() * Kept(batch.Values))));
        return (mean, squares / Kept(values - 1));

        static torch.Tensor Sum(IEnumerable<torch.Tensor> parts) => parts.Aggregate((sum, part) => sum.Plus(part));
    }

    private sealed record Moments(long Images, long Values, torch.Tensor Mean, torch.Tensor Variance) : IDisposable
    {
        public void Dispose()
        {
            Mean.Dispose();
            Variance.Dispose();
        }
    }
}
