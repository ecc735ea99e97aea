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
        using var network = StepBenchmark.NewNetwork(Network, Classes);
        var bytes = 4 * network.ParameterCount;
        foreach (var rate in rates)
        {
            var step = Batch / rate;
            Console.WriteLine(FormattableString.Invariant($"{Network}, {Batch} images a process, {rate:0.###} images/s: a step of {step:0.###} s, {bytes / 1e6:0.0} MB of gradients"));
            Console.WriteLine($"| processes | {string.Join(" | ", Gigabits.Select(gigabit => $"{gigabit} Gbit/s"))} | 0.9 from |");
            Console.WriteLine($"|---|{string.Concat(Gigabits.Select(_ => "---|"))}---|");
            foreach (var size in Sizes)
            {
                var (moved, waited) = (2.0 * (size - 1) / size * bytes * 8 / 1e9, 2 * Math.Log2(size) * Latency);
                var efficiencies = Gigabits.Select(gigabit => FormattableString.Invariant($"{step / (step + (moved / gigabit) + waited):0.00}"));
                // There the sum takes a ninth of the step.
                Console.WriteLine(FormattableString.Invariant($"| {size} | {string.Join(" | ", efficiencies)} | {moved / ((step / 9) - waited):0.##} Gbit/s |"));
            }

            Console.WriteLine();
        }
    }
}
