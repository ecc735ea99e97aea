using System.Diagnostics;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Benchmarks;

/// <summary>
/// Training steps of a batch that processes share (<c>mpirun -n 2 ...</c>), each with its part of the machine's cores, against the same steps of one process with a thread for every core, in turns;
/// and what sums over the processes take of that, waiting for the slowest included.
/// </summary>
internal static class RankBenchmark
{
    private const int StepsPerTurn = 10, Sums = 20;

    public static int Run(IReadOnlyList<string> networks, int rounds)
    {
        if (Launch.Of(Environment.GetEnvironmentVariable) is not { } launch)
        {
            Console.Error.WriteLine("Several processes are measured: put mpirun -n 2 --bind-to none before the command.");
            return 2;
        }

        var timed = new TimedCommunicator(Mpi.Join(launch));
        using var processes = new ProcessGroup(timed);
        processes.TakeShare();
        if (processes.Leads)
        {
            Console.WriteLine($"{Machine.Describe()}; {processes.Size} processes\n");
        }

        foreach (var network in networks)
        {
            foreach (var search in new[] { SearchKind.Off, SearchKind.Policy })
            {
                Measure(network, search, rounds, processes, timed);
            }
        }

        return 0;
    }

    private static void Measure(string name, SearchKind search, int rounds, ProcessGroup processes, TimedCommunicator timed)
    {
        using var scope = torch.NewDisposeScope();
        var format = new ComputeFormat(Machine.Precisions[^1], Layout.ChannelsLast);
        using var whole = StepBenchmark.RandomBatch();
        var (together, alone) = (StepBenchmark.NewStep(name, search, format, torch.CPU, processes), StepBenchmark.NewStep(name, search, format, torch.CPU, ProcessGroup.Alone));
        var share = together.Deal(0, StepBenchmark.BatchSize);
        using var places = torch.tensor((long[])[.. share.Positions.Select(position => (long)position)]);
        using var part = new Batch(whole.Images.index_select(0, places), whole.Labels.index_select(0, places), [.. share.Positions.Select(position => whole.Identities[position])], share);
        var (count, number) = (0L, 0L);
        var steps = StepBenchmark.Repeat(() => together.Run(part, count++, 0.01), StepsPerTurn);
        var lonely = StepBenchmark.Repeat(() => alone.Run(whole, number++, 0.01), StepsPerTurn);
        var flag = processes.From(Path.Combine(Path.GetTempPath(), $"weaklink-ranks-{Environment.ProcessId}"));

        double Together()
        {
            torch.set_num_threads(processes.Cores);
            processes.Barrier();
            var clock = Stopwatch.GetTimestamp();
            steps();
            return Stopwatch.GetElapsedTime(clock).TotalSeconds;
        }

        // The others sleep: a process that waits in MPI keeps its core busy.
        double Alone()
        {
            var seconds = 0.0;
            if (processes.Leads)
            {
                torch.set_num_threads(processes.Cores * processes.Size);
                var clock = Stopwatch.GetTimestamp();
                lonely();
                seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
                File.WriteAllText(flag, "");
            }
            else
            {
                while (!File.Exists(flag))
                {
                    Thread.Sleep(5);
                }
            }

            processes.Barrier();
            if (processes.Leads)
            {
                File.Delete(flag);
            }

            return seconds;
        }

        Together();
        Alone();
        var (shared, threads, waited) = (new double[rounds], new double[rounds], 0.0);
        for (var round = 0; round < rounds; round++)
        {
            var before = timed.Summing;
            shared[round] = Together();
            waited += timed.Summing - before;
            threads[round] = Alone();
        }

        using var network = StepBenchmark.NewNetwork(name);
        using var bucket = torch.zeros(network.ParameterCount);
        processes.Barrier();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Sums; i++)
        {
            processes.Sum(bucket);
        }

        var sum = Stopwatch.GetElapsedTime(start).TotalSeconds / Sums;
        if (processes.Leads)
        {
            var (ranks, one) = (new Timing("ranks", shared), new Timing("threads", threads));
            Console.WriteLine(FormattableString.Invariant($"{name}, {(search == SearchKind.Off ? "plain" : "EWS policy")}, {format}, batch {StepBenchmark.BatchSize}, {rounds} rounds of {StepsPerTurn} steps"));
            Console.WriteLine(FormattableString.Invariant($"  {processes.Size} processes of {processes.Cores} threads {StepBenchmark.BatchSize * StepsPerTurn / ranks.Median,6:0} images/s, 1 process of {processes.Cores * processes.Size} threads {StepBenchmark.BatchSize * StepsPerTurn / one.Median,6:0}; time of processes / of threads {ranks.RatioTo(one):0.00} (goal: at most 1)"));
            Console.WriteLine(FormattableString.Invariant($"  in sums, waiting included {100 * waited / shared.Sum():0.0} %; a sum of {bucket.numel() * 4 / 1e6:0.0} MB by itself {1000 * sum:0.0} ms, {100 * sum * rounds * StepsPerTurn / shared.Sum():0.0} % of a step"));
        }
    }

    /// <summary>Counts the time that sums take.</summary>
    private sealed class TimedCommunicator(ICommunicator inner) : ICommunicator
    {
        /// <summary>Seconds so far.</summary>
        public double Summing { get; private set; }

        public int Rank => inner.Rank;

        public int Size => inner.Size;

        public void Barrier() => inner.Barrier();

        public void Broadcast(Span<byte> values, int root) => inner.Broadcast(values, root);

        public void Sum(Span<float> values)
        {
            var clock = Stopwatch.GetTimestamp();
            inner.Sum(values);
            Summing += Stopwatch.GetElapsedTime(clock).TotalSeconds;
        }

        public void Sum(Span<double> values)
        {
            var clock = Stopwatch.GetTimestamp();
            inner.Sum(values);
            Summing += Stopwatch.GetElapsedTime(clock).TotalSeconds;
        }

        public void Sum(Span<long> values)
        {
            var clock = Stopwatch.GetTimestamp();
            inner.Sum(values);
            Summing += Stopwatch.GetElapsedTime(clock).TotalSeconds;
        }

        public void Abort(int code) => inner.Abort(code);

        public void End() => inner.End();
    }
}
