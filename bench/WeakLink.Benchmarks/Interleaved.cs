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
    /// <returns>For each candidate the median of its seconds, and for each the median over the rounds of its ratio to the first.</returns>
    public static IReadOnlyList<Timing> Run(int rounds, params (string Name, Action Work)[] candidates)
    {
        foreach (var (_, work) in candidates)
        {
            work();
        }

        var seconds = candidates.Select(_ => new double[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < candidates.Length; i++)
            {
                // Every other round runs backwards: no candidate always follows the same one.
                var candidate = round % 2 == 0 ? i : candidates.Length - 1 - i;
                var start = Stopwatch.GetTimestamp();
                candidates[candidate].Work();
                seconds[candidate][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        return [.. candidates.Select((candidate, i) => new Timing(
            candidate.Name, Median(seconds[i]), Median([.. seconds[i].Select((time, round) => time / seconds[0][round])])))];
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}

/// <summary>Median seconds of a candidate, and its median ratio to the first one.</summary>
internal sealed record Timing(string Name, double Seconds, double Ratio);
