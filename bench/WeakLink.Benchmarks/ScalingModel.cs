namespace WeakLink.Benchmarks;

/// <summary>
/// On paper: which part of its time a process computes, where each has so many images of a step and the gradients are summed over a network after it. A sum of B bytes over n processes takes
/// 2 (n - 1) / n · B / bandwidth + 2 log2(n) · latency (Rabenseifner 2004: reduce-scatter and allgather, the best there is for long messages).
/// </summary>
internal static class ScalingModel
{
    private const string Network = "resnet50";
    private const int Classes = 1000, Batch = 256;

    // Of a message between two machines, a little more than Ethernet with RDMA needs.
    private const double Latency = 1e-5;

    private static readonly int[] Sizes = [8, 64, 512];
    private static readonly int[] Gigabits = [10, 100, 400];

    /// <summary>Prints a table for each rate.</summary>
    /// <param name="rates">Images a second that a process trains by itself.</param>
    public static void Print(IReadOnlyList<double> rates)
    {
        var bytes = 4 * StepBenchmark.NewNetwork(Network, Classes).ParameterCount;
        foreach (var rate in rates)
        {
            var step = Batch / rate;
            Console.WriteLine(FormattableString.Invariant($"{Network}, {Batch} images a process, {rate:0.###} images/s: a step of {step:0.###} s, {bytes / 1e6:0.0} MB of gradients"));
            Console.WriteLine($"| processes | {string.Join(" | ", Gigabits.Select(gigabit => $"{gigabit} Gbit/s"))} | 0.9 from |");
            Console.WriteLine($"|---|{string.Concat(Gigabits.Select(_ => "---|"))}---|");
            foreach (var size in Sizes)
            {
                var efficiencies = Gigabits.Select(gigabit => FormattableString.Invariant($"{step / (step + Sum(bytes, size, gigabit)):0.00}"));
                // The bandwidth at which the sum takes a ninth of the step.
                var left = (step / 9) - (2 * Math.Log2(size) * Latency);
                Console.WriteLine(FormattableString.Invariant($"| {size} | {string.Join(" | ", efficiencies)} | {2.0 * (size - 1) / size * bytes * 8 / left / 1e9:0.##} Gbit/s |"));
            }

            Console.WriteLine();
        }
    }

    private static double Sum(long bytes, int size, int gigabit) => (2.0 * (size - 1) / size * bytes * 8 / (gigabit * 1e9)) + (2 * Math.Log2(size) * Latency);
}
