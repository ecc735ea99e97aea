using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Benchmarks;

/// <summary>Memory of an EWS training run: its growth over many steps, and its peak beside that of plain training.</summary>
internal static class MemoryBenchmark
{
    public static void Run(int steps)
    {
        foreach (var (name, kind) in new[] { ("resnet20", SearchKind.Off), ("resnet20", SearchKind.Policy), ("resnet18", SearchKind.Off), ("resnet18", SearchKind.Policy) })
        {
            // Peaks never fall: each is measured in a process of its own.
            var child = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Environment.ProcessPath!, ["memory-of", name, kind.ToString(), $"{(name == "resnet18" ? Math.Min(steps, 30) : steps)}"]))!;
            child.WaitForExit();
        }
    }

    public static void Measure(string name, SearchKind kind, int steps)
    {
        WeakLink.Runtime.Allocator.KeepLargeBlocks();
        using var batch = StepBenchmark.RandomBatch();
        var step = StepBenchmark.Step(name, kind, new ComputeFormat(Precision.Bf16, Layout.ChannelsLast), batch);
        var early = steps / 5;
        var first = 0L;
        for (var i = 0; i < steps; i++)
        {
            step();
            if (i == early)
            {
                first = Resident("VmRSS");
            }
        }

        Console.WriteLine(FormattableString.Invariant(
            $"{name}, EWS {kind.ToString().ToLowerInvariant()}, batch {StepBenchmark.BatchSize}, bf16: {first / 1024.0:0} MiB after {early} steps, {Resident("VmRSS") / 1024.0:0} MiB after {steps}, peak {Resident("VmHWM") / 1024.0:0} MiB"));
    }

    // proc(5): kilobytes.
    private static long Resident(string key) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), System.Globalization.CultureInfo.InvariantCulture);
}
