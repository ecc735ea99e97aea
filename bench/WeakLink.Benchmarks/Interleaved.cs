using System.Diagnostics;

namespace WeakLink.Benchmarks;

/// <summary>
/// Times several ways of doing the same work in turns, round after round, so that a disturbance of the machine hits all of them
/// alike. (BenchmarkDotNet times one after the other in separate processes; a ratio of two of its results is only as good as the
/// machine is quiet for the minutes in between.)
/// </summary>
internal static class Interleaved
{
    /// <summary>Runs every candidate once to warm up, then <paramref name="rounds"/> times in turns.</summary>
    public static IReadOnlyList<Timing> Run(int rounds, params (string Name, Action Work)[] candidates) =>
        Run(rounds, [Wall], candidates)[0];

    /// <summary>The same in seconds of the processor, over all cores: for ratios on a machine that others use, too.</summary>
    public static IReadOnlyList<Timing> RunOnProcessor(int rounds, params (string Name, Action Work)[] candidates) =>
        Run(rounds, [Processor], candidates)[0];

    /// <summary>Both at once.</summary>
    public static (IReadOnlyList<Timing> Wall, IReadOnlyList<Timing> Processor) RunOnBoth(int rounds, params (string Name, Action Work)[] candidates) =>
        Run(rounds, [Wall, Processor], candidates) is [var wall, var processor] ? (wall, processor) : default;

    private static double Wall() => Stopwatch.GetElapsedTime(0).TotalSeconds;

    private static double Processor() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static Timing[][] Run(int rounds, Func<double>[] clocks, (string Name, Action Work)[] candidates)
    {
        foreach (var (_, work) in candidates)
        {
            work();
        }

        var seconds = clocks.Select(_ => candidates.Select(_ => new double[rounds]).ToArray()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < candidates.Length; i++)
            {
                // Every other round runs backwards: no candidate always follows the same one.
                var candidate = round % 2 == 0 ? i : candidates.Length - 1 - i;
                var starts = clocks.Select(clock => clock()).ToArray();
                candidates[candidate].Work();
                for (var clock = 0; clock < clocks.Length; clock++)
                {
                    seconds[clock][candidate][round] = clocks[clock]() - starts[clock];
                }
            }
        }

        return [.. seconds.Select(of => candidates.Select((candidate, i) => new Timing(candidate.Name, of[i])).ToArray())];
    }
}

/// <summary>How long a candidate took.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Seconds">One number for every round.</param>
internal sealed record Timing(string Name, IReadOnlyList<double> Seconds)
{
    public double Median => MedianOf(Seconds);

    /// <summary>Median over the rounds of this candidate's time to the other's in the same round.</summary>
    public double RatioTo(Timing other) => MedianOf(Seconds.Zip(other.Seconds, (mine, its) => mine / its));

    private static double MedianOf(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered[ordered.Count / 2];
    }
}
