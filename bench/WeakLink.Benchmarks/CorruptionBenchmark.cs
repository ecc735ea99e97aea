using System.Diagnostics;
using System.Text.Json;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;

namespace WeakLink.Benchmarks;

/// <summary>
/// Corrupted images a second, on one core and on all, against what the published code reached on one core of such a machine while it
/// made the reference images (shared/reference, refspeed.json; both are means over the five severities).
/// </summary>
internal static class CorruptionBenchmark
{
    private const double Seconds = 0.3;

    public static void Run(string reference)
    {
        foreach (var (folder, what) in new[] { ("cifar10-c", "32x32"), ("imagenet-c", "224x224") })
        {
            var (images, size) = Clean(Path.Combine(reference, folder, "clean.npy"));
            var table = SeverityTables.For(size, size);
            var published = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(Path.Combine(reference, folder, "refspeed.json")))!;
            Console.WriteLine($"| {what} | published code | one core | ratio | {Environment.ProcessorCount} cores | scaling |");
            Console.WriteLine("|---|---|---|---|---|---|");
            var (ratios, scalings) = (new List<double>(), new List<double>());
            foreach (var corruption in CommonCorruptions.All)
            {
                var one = Rate(images, size, corruption, table, 1);
                var all = Rate(images, size, corruption, table, Environment.ProcessorCount);
                ratios.Add(one / published[corruption.Name]);
                scalings.Add(all / one);
                Console.WriteLine(FormattableString.Invariant(
                    $"| {corruption.Name} | {Rounded(published[corruption.Name])} | {Rounded(one)} | {ratios[^1]:0.0} | {Rounded(all)} | {scalings[^1]:0.00} |"));
            }

            Console.WriteLine(FormattableString.Invariant(
                $"| geometric mean | | | **{GeometricMean(ratios):0.0}** (least {ratios.Min():0.0}) | | **{GeometricMean(scalings):0.00}** |\n"));
        }
    }

    // Harmonic over the severities, as making all of them takes the sum of their times.
    private static double Rate(List<byte[]> images, int size, Corruption corruption, SeverityTable table, int cores) =>
        Corruption.Severities / Enumerable.Range(1, Corruption.Severities).Sum(severity => 1 / Rate(images, size, corruption, table, severity, cores));

    private static double Rate(List<byte[]> images, int size, Corruption corruption, SeverityTable table, int severity, int cores)
    {
        // Long enough for the compiler's second thoughts, and for what is drawn once.
        Work(images, size, corruption, table, severity, 0, Seconds);
        var start = Stopwatch.GetTimestamp();
        var counts = new long[cores];
        var threads = Enumerable.Range(0, cores).Select(core => new Thread(() => counts[core] = Work(images, size, corruption, table, severity, core, Seconds))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static long Work(List<byte[]> images, int size, Corruption corruption, SeverityTable table, int severity, int core, double seconds)
    {
        var result = new byte[images[0].Length];
        var start = Stopwatch.GetTimestamp();
        var done = 0;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            corruption.Apply(new ImageView(images[done % images.Count], size, size), table, severity, new SeededRandom(core, RandomUse.Corruption, severity, done), result);
            done++;
        }

        return done;
    }

    private static (List<byte[]> Images, int Size) Clean(string path)
    {
        using var file = NumpyFile.Open(path);
        var (count, size) = ((int)file.Shape[0], (int)file.Shape[1]);
        return ([.. Enumerable.Range(0, count).Select(index =>
        {
            var pixels = new byte[Dataset.Channels * size * size];
            file.Read((long)index * pixels.Length, pixels);
            return (byte[])[.. Enumerable.Range(0, Dataset.Channels).SelectMany(channel => Enumerable.Range(0, size * size).Select(pixel => pixels[(pixel * Dataset.Channels) + channel]))];
        })], size);
    }

    private static double GeometricMean(List<double> values) => Math.Exp(values.Average(Math.Log));

    private static string Rounded(double rate) => rate.ToString(rate < 10 ? "0.0" : "#,0", System.Globalization.CultureInfo.InvariantCulture);
}
