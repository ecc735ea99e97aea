using System.IO.Hashing;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Data;

/// <summary>Between bytes and the [0, 1] units that models take.</summary>
public static class Pixels
{
    /// <summary>0 ... 255 to [0, 1]: 255 is exactly 1.</summary>
    /// <param name="bytes">N×3×H×W, uint8.</param>
    /// <returns>N×3×H×W, float32.</returns>
    /// <exception cref="ArgumentException">They are of another type.</exception>
    public static torch.Tensor ToUnit(torch.Tensor bytes) => bytes.dtype == torch.uint8 ? bytes.to(torch.float32).div_(Kept(255))
        : throw new ArgumentException($"Images are bytes (uint8), not {bytes.dtype}.", nameof(bytes));

    private const double Levels = 255;
    private const double GreyLevel = 1 / Levels;
    private const int MostImages = 10_000;

    /// <summary>
    /// Mean and standard deviation of each channel over (at most the first 10,000) images, in [0, 1] units, rounded to 4 digits. A channel that
    /// varies by less than one grey level says nothing, and dividing by so little would make the last bit of an image loud: its deviation
    /// is 1, which scales nothing.
    /// </summary>
    /// <param name="dataset">The training images.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    public static (IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation) Statistics(Dataset dataset)
    {
        var sums = new Sums();
        try
        {
            Parallel.For(0, Math.Min(dataset.Count, MostImages), () => (Image: new byte[dataset.BytesPerImage], Sums: new Sums()), (i, _, its) =>
            {
                dataset.Read(i, its.Image);
                its.Sums.Add(its.Image);
                return its;
            }, its =>
            {
                lock (sums)
                {
                    sums.Add(its.Sums);
                }
            });
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }

        return sums.Statistics();
    }

    /// <summary>The same, kept in the cache folder for images that are decoded for it: for the same pixels in the same order, scaled to the same size in the same way.</summary>
    /// <param name="dataset">The training images.</param>
    /// <param name="filter">How they are scaled where they are.</param>
    /// <exception cref="InputException">An image can't be read.</exception>
    internal static (IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation) KeptStatistics(Dataset dataset, ResizeFilter filter)
    {
        var first = dataset.Hashes([.. Enumerable.Range(0, Math.Min(dataset.Count, MostImages))], new SilentObserver()).ToArray();
        var of = FormattableString.Invariant($"{dataset.Width}x{dataset.Height} {filter} {KnownImages.Text(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(first.AsSpan())))}");
        var path = Path.Combine(CacheFolder.Default, "statistics", $"{ShortHash.Of(of)}.json");
        try
        {
            if (File.Exists(path) && Json.Read<Kept>(path) is { Mean.Count: Dataset.Channels, StandardDeviation.Count: Dataset.Channels } kept && kept.Of == of)
            {
                return (kept.Mean, kept.StandardDeviation);
            }
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            // They are measured again.
        }

        var (mean, deviation) = Statistics(dataset);
        AtomicFile.WriteCache(path, stream => stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Kept(of, mean, deviation), Json.Line))));
        return (mean, deviation);
    }

    private sealed record Kept(string Of, IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation);

    // Whole numbers, so that the order of the images does not matter.
    private sealed class Sums
    {
        private readonly long[] _sum = new long[Dataset.Channels], _squares = new long[Dataset.Channels];
        private long _count;

        public void Add(ReadOnlySpan<byte> image)
        {
            var area = image.Length / Dataset.Channels;
            _count += area;
            for (var channel = 0; channel < Dataset.Channels; channel++)
            {
                var (sum, squares) = (0L, 0L);
                foreach (var level in image.Slice(channel * area, area))
                {
                    sum += level;
                    squares += level * level;
                }

                _sum[channel] += sum;
                _squares[channel] += squares;
            }
        }

        public void Add(Sums others)
        {
            _count += others._count;
            for (var channel = 0; channel < Dataset.Channels; channel++)
            {
                _sum[channel] += others._sum[channel];
                _squares[channel] += others._squares[channel];
            }
        }

        public (IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation) Statistics()
        {
            double[] mean = [.. _sum.Select(sum => sum / Levels / _count)];
            return (
                [.. mean.Select(Rounded)],
                [.. _squares.Zip(mean, (squares, its) => Math.Sqrt(Math.Max(0, (squares / (Levels * Levels) / _count) - (its * its)))).Select(value => value < GreyLevel ? 1 : Rounded(value))]);
        }
    }

    private static double Rounded(double value) => Math.Max(Math.Round(value, 4), 0);
}
