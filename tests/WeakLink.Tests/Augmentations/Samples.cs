using WeakLink.Augmentations;

namespace WeakLink.Tests.Augmentations;

/// <summary>Images and statistics for tests of augmentations.</summary>
internal static class Samples
{
    /// <summary>A picture in which neighbours, rows, columns and planes differ.</summary>
    public static byte[] Image(int height, int width)
    {
        var planes = new byte[3 * height * width];
        for (var (i, channel) = (0, 0); channel < 3; channel++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++, i++)
                {
                    planes[i] = (byte)((x * 37) + (y * 61) + (channel * 83) + (x * y * 5));
                }
            }
        }

        return planes;
    }

    /// <summary>An image in a buffer.</summary>
    public static ImageBuffer Buffer(byte[] planes, int height, int width)
    {
        var buffer = new ImageBuffer();
        buffer.Load(planes, height, width);
        return buffer;
    }

    /// <summary>An augmented copy of an image.</summary>
    public static byte[] Augmented(Augmentation augmentation, byte[] planes, int height, int width, long index = 0)
    {
        var buffer = Buffer(planes, height, width);
        augmentation.Apply(buffer, new SeededRandom(11, RandomUse.Augmentation, 0, index));
        return buffer.Pixels.ToArray();
    }

    /// <summary>An image after an operation.</summary>
    public static byte[] Operated(Operator kind, double parameter, byte[] planes, int height, int width, Resampling resampling = Resampling.Nearest, byte outside = 0)
    {
        var buffer = Buffer(planes, height, width);
        new Operation(kind, parameter).Apply(buffer, resampling, outside);
        return buffer.Pixels.ToArray();
    }

    /// <summary>
    /// Fails where counts don't fit probabilities: Pearson's chi-square, which exceeds this bound (Wilson and Hilferty 1931, four standard
    /// deviations) once in 30,000 times; the seeds are fixed.
    /// </summary>
    public static void AssertDistribution<T>(IEnumerable<T> draws, IReadOnlyDictionary<T, double> probabilities)
        where T : notnull
    {
        var counts = draws.CountBy(draw => draw).ToDictionary();
        Assert.Equal(1, probabilities.Values.Sum(), 1e-9);
        Assert.Empty(counts.Keys.Except(probabilities.Keys));
        if (probabilities.Count == 1)
        {
            return;
        }

        double total = counts.Values.Sum();
        var statistic = probabilities.Sum(pair => Math.Pow(counts.GetValueOrDefault(pair.Key) - (total * pair.Value), 2) / (total * pair.Value));
        var freedom = probabilities.Count - 1.0;
        var bound = freedom * Math.Pow(1 - (2 / (9 * freedom)) + (4 * Math.Sqrt(2 / (9 * freedom))), 3);
        Assert.True(statistic <= bound, $"chi-square {statistic:0.0}, bound {bound:0.0}: {string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value / total:0.0000}"))}");
    }

    /// <summary>The same probability for each.</summary>
    public static Dictionary<T, double> Uniform<T>(IEnumerable<T> outcomes)
        where T : notnull
    {
        var all = outcomes.ToList();
        return all.ToDictionary(outcome => outcome, _ => 1.0 / all.Count);
    }

    /// <summary>Fails where draws aren't uniform in an interval, by which of ten equal parts they fall in.</summary>
    public static void AssertUniform(IEnumerable<double> draws, double low, double high) =>
        AssertDistribution(draws.Select(draw => (int)Math.Floor((draw - low) / (high - low) * 10)), Uniform(Enumerable.Range(0, 10)));
}
