using System.Collections.Concurrent;
using System.Diagnostics;
using TorchSharp;
using WeakLink.Imaging;

namespace WeakLink.Data;

/// <summary>Images that are trained on beside a data set's own.</summary>
/// <param name="Images">The images; of the same classes and size.</param>
/// <param name="Fraction">
/// Their part of every batch, drawn with replacement (as Carmon et al. 2019 draw theirs), while an epoch stays one pass over the data set's
/// own images; 0: they are added to these, and an epoch is one pass over all.
/// </param>
public sealed record ExtraImages(Dataset Images, double Fraction);

/// <summary>
/// Batches of a data set, prepared ahead of the step by the thread pool. Which images a batch holds follows from (seed, epoch, step), and what becomes of each
/// from (seed, epoch, <see cref="Dataset.Identity"/>): neither depends on the number of workers or on where the epoch was entered, the latter on no other image.
/// </summary>
public sealed class BatchLoader
{
    // A disk that hangs is not told from a slow one earlier than this.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly Dataset _dataset;
    private readonly IViews _views;
    private readonly int _batch;
    private readonly int _own;
    private readonly int _ownCount;
    private readonly int _ahead;
    private readonly bool _alone;
    private readonly int[][]? _classes;
    private readonly ConcurrentBag<byte[]> _spare = [];
    private long _waited;

    /// <summary>Creates a loader.</summary>
    /// <param name="dataset">Where the images come from.</param>
    /// <param name="views">What a training step sees of an image.</param>
    /// <param name="batch">Images in a batch.</param>
    /// <param name="workers">Batches prepared at the same time; at most one more waits, so memory is bounded by workers + 1 batches of bytes. 0: each is prepared by whoever asks for it, as in PyTorch.</param>
    /// <param name="extra">Images that are trained on beside those of <paramref name="dataset"/>; null: none.</param>
    /// <param name="balanced">
    /// Whether an epoch holds as many images of every class, in as many steps as otherwise: of a small class it holds some again, with draws of their own each time, of a large one not all.
    /// </param>
    /// <exception cref="InputException">The views are larger than the images.</exception>
    public BatchLoader(Dataset dataset, IViews views, int batch, int workers, ExtraImages? extra = null, bool balanced = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        if (!views.Fit(dataset.Height, dataset.Width))
        {
            throw NoRoom(dataset, views.Height, views.Width);
        }

        (_dataset, _views, _batch, _ahead) = (extra is null ? dataset : new JoinedDataset([dataset, extra.Images]), views, batch, workers + 1);
        _alone = workers == 0;
        // At least one image of each kind.
        _own = extra is { Fraction: > 0 } ? Math.Clamp(batch - (int)Math.Round(extra.Fraction * batch), 1, Math.Max(1, batch - 1)) : batch;
        _ownCount = extra is { Fraction: > 0 } ? dataset.Count : _dataset.Count;
        _classes = balanced ? [.. Ascending(_ownCount).GroupBy(_dataset.Label).OrderBy(images => images.Key).Select(images => images.ToArray())] : null;
    }

    /// <summary>Time for which <see cref="Training"/> and <see cref="InOrder"/> made their reader wait for data, in seconds.</summary>
    public double SecondsWaited => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _waited)).TotalSeconds;

    /// <summary>What to call the image of this index, for messages.</summary>
    public string Describe(int index) => _dataset.Describe(index);

    /// <summary>Steps of a training epoch: only whole batches (every image comes in some epoch), but at least one.</summary>
    public int StepsPerEpoch => Math.Max(1, _ownCount / _own);

    /// <summary>Batches of all images in order; the last may be smaller.</summary>
    public int BatchesInOrder => (_dataset.Count + _batch - 1) / _batch;

    /// <summary>Images in a batch.</summary>
    public int BatchSize => _batch;

    /// <summary>Images in a batch of an epoch: fewer where there are not as many.</summary>
    public int TrainingBatch => Math.Min(_own, _ownCount) + _batch - _own;

    /// <summary>Height of what a step sees of an image, in pixels.</summary>
    public int Height => _views.Height;

    /// <summary>Width of what a step sees of an image, in pixels.</summary>
    public int Width => _views.Width;

    /// <summary>The shuffled, augmented batches of one epoch.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="firstStep">Steps of the epoch to pass over (a resumed run).</param>
    /// <param name="deal">Which images of a step's batch to prepare, from the step of the epoch and the size of the batch; null: all. Called from any thread.</param>
    public IEnumerable<Batch> Training(long seed, int epoch, int firstStep = 0, Func<int, int, BatchShare>? deal = null)
    {
        var order = Order(seed, epoch);
        return Ahead(firstStep, StepsPerEpoch, step =>
        {
            var chosen = Chosen(order, seed, epoch, step);
            var share = deal?.Invoke(step, chosen.Length);
            var prepared = Prepare(
                share is null ? chosen : [.. share.Positions.Concat(share.Partners).Select(position => chosen[position])],
                _views.Count,
                (drawn, source, target) => _views.Make(source, _dataset.Height, _dataset.Width, target, Draws(seed, epoch, drawn)));
            return prepared with { Share = share };
        });
    }

    /// <summary>All images in order, cropped from the centre; the last batch may be smaller.</summary>
    /// <param name="firstStep">The batch to begin with, from 0.</param>
    /// <param name="every">Batches from one to the next; 1: all.</param>
    /// <exception cref="InputException">The crop is larger than the images: only padded ones have room for it.</exception>
    public IEnumerable<Batch> InOrder(int firstStep = 0, int every = 1)
    {
        var order = Ascending(_dataset.Count);
        var centre = Centre(_dataset, _views.Height, _views.Width);
        return Ahead(firstStep, BatchesInOrder, step => Prepare(
            [.. order[(step * _batch)..Math.Min((step + 1) * _batch, order.Length)].Select(index => new Drawn(index))],
            1,
            (_, source, target) => centre.Cut(new ImageView(source, _dataset.Height, _dataset.Width), target[0])), every);
    }

    /// <summary>The middle of images that have one of this size.</summary>
    /// <exception cref="InputException">It is larger than the images.</exception>
    internal static CentreCrop Centre(Dataset images, int height, int width)
    {
        var centre = new CentreCrop(height, width);
        return centre.Fits(images.Height, images.Width) ? centre : throw NoRoom(images, height, width);
    }

    private static InputException NoRoom(Dataset images, int height, int width) => new(
        $"A crop of {width}x{height} pixels does not fit into the {images.Width}x{images.Height} images of {images.Name}: set augmentation.crop to at most {Math.Min(images.Width, images.Height)} or data.size to at least {Math.Max(height, width)}.");

    private static int[] Ascending(int count)
    {
        var order = new int[count];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        return order;
    }

    private Drawn[] Order(long seed, int epoch)
    {
        Drawn[] order = [.. Ascending(_ownCount).Select(index => new Drawn(index))];
        if (_classes is not null)
        {
            int[][] classes = [.. _classes.Select(images => images.ToArray())];
            foreach (var (number, images) in classes.Index())
            {
                new SeededRandom(seed, RandomUse.ClassBalance, epoch, number).Shuffle<int>(images);
            }

            // The classes in turn; each begins again where it is at its end. Which ones have one image more than others changes.
            var first = new SeededRandom(seed, RandomUse.ClassBalance, epoch, -1).Next(classes.Length);
            for (var i = 0; i < order.Length; i++)
            {
                var (images, turn) = (classes[(first + i) % classes.Length], i / classes.Length);
                order[i] = new Drawn(images[turn % images.Length], turn / images.Length);
            }
        }

        new SeededRandom(seed, RandomUse.Shuffle, epoch).Shuffle<Drawn>(order);
        return order;
    }

    private SeededRandom Draws(long seed, int epoch, Drawn drawn)
    {
        var identity = _dataset.Identity(drawn.Index);
        return drawn.Again == 0
            ? new SeededRandom(seed, RandomUse.Augmentation, epoch, identity)
            : new SeededRandom((long)new SeededRandom(seed, RandomUse.ClassBalance, epoch, identity).NextBits(), RandomUse.Augmentation, drawn.Again);
    }

    private Drawn[] Chosen(Drawn[] order, long seed, int epoch, int step)
    {
        var own = order[(step * _own)..Math.Min((step + 1) * _own, order.Length)];
        if (_own == _batch)
        {
            return own;
        }

        // Beside them, from all extra images alike.
        var random = new SeededRandom(seed, RandomUse.ExtraImages, epoch, step);
        return [.. own, .. Enumerable.Range(0, _batch - _own).Select(i => new Drawn(_ownCount + random.Next(_dataset.Count - _ownCount), 1 + (step * (_batch - _own)) + i))];
    }

    private IEnumerable<Batch> Ahead(int first, int end, Func<int, PreparedBatch> prepare, int every = 1)
    {
        var pending = new Queue<Task<PreparedBatch>>();
        var next = first;
        try
        {
            while (true)
            {
                var start = Stopwatch.GetTimestamp();
                for (; next < end && pending.Count < _ahead; next += every)
                {
                    var step = next;
                    pending.Enqueue(_alone ? Task.FromResult(prepare(step)) : Task.Run(() => prepare(step)));
                }

                if (pending.Count == 0)
                {
                    yield break;
                }

                var prepared = Await(pending.Dequeue());
                Interlocked.Add(ref _waited, Stopwatch.GetTimestamp() - start);
                yield return ToTensors(prepared);
            }
        }
        finally
        {
            // A reader that stops early must not leave workers behind that still read the data set.
            Task.WhenAll(pending).ContinueWith(_ => { }, TaskScheduler.Default).Wait(LongestWait);
        }
    }

    private PreparedBatch Await(Task<PreparedBatch> pending)
    {
        // Not Wait: the task's own error, if it has one, rather than a collection of them.
        var done = ((IAsyncResult)pending).AsyncWaitHandle.WaitOne(LongestWait);
        return done
            ? pending.GetAwaiter().GetResult()
            : throw new InputException($"A batch of {_dataset.Name} took more than {LongestWait.TotalMinutes} minutes to prepare: check the disk that holds the images (the run can be resumed).");
    }

    private PreparedBatch Prepare(Drawn[] drawn, int views, Maker make)
    {
        var bytes = Dataset.Channels * _views.Height * _views.Width;
        var size = checked(views * drawn.Length * bytes);
        var images = _spare.TryTake(out var spare) && spare.Length == size ? spare : GC.AllocateUninitializedArray<byte>(size);
        var (labels, identities) = (new long[drawn.Length], new long[drawn.Length]);
        var source = GC.AllocateUninitializedArray<byte>(_dataset.BytesPerImage);
        for (var i = 0; i < drawn.Length; i++)
        {
            _dataset.Read(drawn[i].Index, source);
            make(drawn[i], source, new ViewTargets(images, i, drawn.Length, bytes));
            (labels[i], identities[i]) = (_dataset.Label(drawn[i].Index), _dataset.Identity(drawn[i].Index));
        }

        return new PreparedBatch(images, labels, identities, [views * drawn.Length, Dataset.Channels, _views.Height, _views.Width]);
    }

    private delegate void Maker(Drawn drawn, ReadOnlySpan<byte> source, ViewTargets target);

    // An image; 0, or what tells its draws from those of the same image elsewhere in the epoch.
    private readonly record struct Drawn(int Index, int Again = 0);

    private sealed record PreparedBatch(byte[] Images, long[] Labels, long[] Identities, long[] Shape, BatchShare? Share = null);

    // Tensors are made on the reader's thread: dispose scopes don't follow other threads.
    private Batch ToTensors(PreparedBatch prepared)
    {
        var batch = new Batch(torch.tensor(prepared.Images, prepared.Shape, torch.uint8), torch.tensor(prepared.Labels), prepared.Identities, prepared.Share);
        _spare.Add(prepared.Images);
        return batch;
    }
}
