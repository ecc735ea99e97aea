using System.Collections.Concurrent;
using System.Diagnostics;
using TorchSharp;

namespace WeakLink.Data;

/// <summary>
/// Batches of a data set, prepared ahead of the step by the thread pool. Which images a batch holds, and how each is cropped,
/// follows from (seed, epoch, index) alone: it does not depend on the number of workers or on where the epoch was entered.
/// </summary>
public sealed class BatchLoader
{
    private readonly Dataset _dataset;
    private readonly CropAndFlip _crop;
    private readonly int _batch;
    private readonly int _ahead;
    private readonly ConcurrentBag<byte[]> _spare = [];
    private long _waited;

    /// <summary>Creates a loader.</summary>
    /// <param name="dataset">Where the images come from.</param>
    /// <param name="crop">What the network sees of an image.</param>
    /// <param name="batch">Images in a batch.</param>
    /// <param name="workers">Batches prepared at the same time; at most one more waits, so memory is bounded by workers + 1 batches of bytes.</param>
    /// <exception cref="InputException">The crop is larger than the padded image.</exception>
    public BatchLoader(Dataset dataset, CropAndFlip crop, int batch, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        if (crop.Height > dataset.Height + (2 * crop.Padding) || crop.Width > dataset.Width + (2 * crop.Padding))
        {
            throw new InputException(
                $"A crop of {crop.Width}x{crop.Height} pixels does not fit into the {dataset.Width}x{dataset.Height} images of {dataset.Name}: set augmentation.crop to at most {Math.Min(dataset.Width, dataset.Height)} or data.size to at least {Math.Max(crop.Height, crop.Width)}.");
        }

        (_dataset, _crop, _batch, _ahead) = (dataset, crop, batch, workers + 1);
    }

    /// <summary>Time for which <see cref="Training"/> and <see cref="InOrder"/> made their reader wait for data, in seconds.</summary>
    public double SecondsWaited => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _waited)).TotalSeconds;

    /// <summary>Steps of a training epoch: only whole batches (every image comes in some epoch), but at least one.</summary>
    public int StepsPerEpoch => Math.Max(1, _dataset.Count / _batch);

    /// <summary>The shuffled, augmented batches of one epoch.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="firstStep">Steps of the epoch to pass over (a resumed run).</param>
    public IEnumerable<Batch> Training(long seed, int epoch, int firstStep = 0)
    {
        var order = new int[_dataset.Count];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        new SeededRandom(seed, RandomUse.Shuffle, epoch).Shuffle<int>(order);
        return Ahead(firstStep, StepsPerEpoch, step => Prepare(order, step, (index, source, target) =>
            _crop.Random(source, _dataset.Height, _dataset.Width, target, new SeededRandom(seed, RandomUse.Augmentation, epoch, index))));
    }

    /// <summary>All images in order, cropped from the centre; the last batch may be smaller.</summary>
    public IEnumerable<Batch> InOrder()
    {
        var order = new int[_dataset.Count];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        return Ahead(0, (_dataset.Count + _batch - 1) / _batch, step => Prepare(order, step, (_, source, target) =>
            _crop.Centre(source, _dataset.Height, _dataset.Width, target)));
    }

    private IEnumerable<Batch> Ahead(int first, int end, Func<int, PreparedBatch> prepare)
    {
        var pending = new Queue<Task<PreparedBatch>>();
        var next = first;
        try
        {
            while (true)
            {
                for (; next < end && pending.Count < _ahead; next++)
                {
                    var step = next;
                    pending.Enqueue(Task.Run(() => prepare(step)));
                }

                if (pending.Count == 0)
                {
                    yield break;
                }

                var start = Stopwatch.GetTimestamp();
                var prepared = pending.Dequeue().GetAwaiter().GetResult();
                Interlocked.Add(ref _waited, Stopwatch.GetTimestamp() - start);
                yield return ToTensors(prepared);
            }
        }
        finally
        {
            // A reader that stops early must not leave workers behind that still read the data set.
            Task.WhenAll(pending).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }
    }

    private PreparedBatch Prepare(int[] order, int step, Cutter cut)
    {
        var start = step * _batch;
        var count = Math.Min(_batch, order.Length - start);
        var bytesPerResult = Dataset.Channels * _crop.Height * _crop.Width;
        var size = checked(count * bytesPerResult);
        var images = _spare.TryTake(out var spare) && spare.Length == size ? spare : GC.AllocateUninitializedArray<byte>(size);
        var labels = new long[count];
        var source = GC.AllocateUninitializedArray<byte>(_dataset.BytesPerImage);
        for (var i = 0; i < count; i++)
        {
            var index = order[start + i];
            _dataset.Read(index, source);
            cut(index, source, images.AsSpan(i * bytesPerResult, bytesPerResult));
            labels[i] = _dataset.Label(index);
        }

        return new PreparedBatch(images, labels, [count, Dataset.Channels, _crop.Height, _crop.Width]);
    }

    private delegate void Cutter(int index, ReadOnlySpan<byte> source, Span<byte> target);

    private sealed record PreparedBatch(byte[] Images, long[] Labels, long[] Shape);

    // Tensors are made on the reader's thread: dispose scopes don't follow other threads.
    private Batch ToTensors(PreparedBatch prepared)
    {
        var batch = new Batch(torch.tensor(prepared.Images, prepared.Shape, torch.uint8), torch.tensor(prepared.Labels));
        _spare.Add(prepared.Images);
        return batch;
    }
}
