using System.Collections.Concurrent;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Poisson noise: light comes in photons, and a bright pixel counts only so many.</summary>
internal sealed class ShotNoise() : Corruption("shot_noise", CorruptionGroup.Noise)
{
    // Photons of a value of 255.
    private static readonly Levels<int> Photons = new(
        cifar: [500, 250, 100, 75, 50],
        tinyImageNet: [250, 100, 50, 30, 15],
        imageNet: [60, 25, 12, 5, 3]);

    private static readonly ConcurrentDictionary<int, PhotonCounts> Counts = new();

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result) =>
        Count(image, Photons[table, severity], random, result);

    /// <summary>Counts as many photons for a value of 255, and in proportion for less.</summary>
    public static void Count(ImageView image, int photons, SeededRandom random, Span<byte> result)
    {
        const int AtATime = 1024;
        Span<uint> draws = stackalloc uint[AtATime];
        var counts = Counts.GetOrAdd(photons, number => new PhotonCounts(number));
        for (var start = 0; start < result.Length; start += AtATime)
        {
            var count = Math.Min(AtATime, result.Length - start);
            random.FillBits(draws[..count]);
            for (var i = 0; i < count; i++)
            {
                result[start + i] = counts.Draw(image.Planes[start + i], draws[i]);
            }
        }
    }

    /// <summary>
    /// The Poisson distribution of each of the 256 values, drawn from by inverting its distribution function: a first guess from the
    /// draw's high byte, then a search of mostly one step (Chen and Asau 1974).
    /// </summary>
    private sealed class PhotonCounts
    {
        private readonly uint[][] _cumulative = new uint[256][];
        private readonly byte[][] _values = new byte[256][];
        private readonly ushort[] _guess = new ushort[256 * 256];

        public PhotonCounts(int photons)
        {
            for (var value = 0; value < 256; value++)
            {
                Fill(value, photons);
            }
        }

        public byte Draw(byte value, uint draw)
        {
            var cumulative = _cumulative[value];
            int k = _guess[(value << 8) + (int)(draw >> 24)];
            while (draw > cumulative[k])
            {
                k++;
            }

            return _values[value][k];
        }

        private void Fill(int value, int photons)
        {
            var mean = value * photons / 255.0;
            // Beyond eight standard deviations there is less than one chance in 2^32.
            var reach = 8 * Math.Sqrt(mean);
            var (low, high) = ((int)Math.Max(0, mean - reach), (int)(mean + reach + (mean > 0 ? 16 : 0)));
            var (cumulative, values) = (new uint[high - low + 1], new byte[high - low + 1]);
            var (logProbability, sum) = (-mean, 0.0);
            for (var k = 0; k <= high; k++)
            {
                logProbability += k > 0 ? Math.Log(mean / k) : 0;
                if (k >= low)
                {
                    sum += Math.Exp(logProbability);
                    cumulative[k - low] = (uint)Math.Min(sum * (1L << 32), uint.MaxValue);
                    values[k - low] = (byte)(Math.Min((double)k / photons, 1) * 255);
                }
            }

            cumulative[^1] = uint.MaxValue;
            for (var (high8, k) = (0, 0); high8 < 256; high8++)
            {
                while ((uint)high8 << 24 > cumulative[k])
                {
                    k++;
                }

                _guess[(value << 8) + high8] = (ushort)k;
            }

            (_cumulative[value], _values[value]) = (cumulative, values);
        }
    }
}
