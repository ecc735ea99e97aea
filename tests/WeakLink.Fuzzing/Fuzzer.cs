using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace WeakLink.Fuzzing;

/// <summary>
/// Lets workers read damaged files. A file that kills its worker (an overflow of the stack, an abort in native code) or keeps it busy without end is a failure like
/// any other: the next worker goes on behind it.
/// </summary>
/// <param name="seed">Seed of the mutations.</param>
internal sealed class Fuzzer(long seed)
{
    /// <summary>The argument that makes this program a worker.</summary>
    public const string WorkerMode = "worker";

    // Of a mutation; far more than any takes even on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);
    private const int MostDeaths = 5;
    private const int LongestComplaint = 2000;

    /// <summary>Reads the mutations of some numbers.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="first">The first number.</param>
    /// <param name="count">How many.</param>
    /// <param name="report">Told of each failure of a kind that was not seen yet.</param>
    public Outcomes Run(Reader reader, long first, long count, Action<Failure> report)
    {
        var folder = Directory.CreateTempSubdirectory("weaklink-fuzz-");
        if (Directory.Exists("/dev/shm"))
        {
            // Files that never reach a disk.
            folder.Delete();
            folder = Directory.CreateDirectory(Path.Combine("/dev/shm", folder.Name));
        }

        try
        {
            using var counts = new Counts(folder.FullName);
            var end = first + count;
            for (var (next, deaths) = (first, 0); next < end;)
            {
                var complaint = Work(reader, next, end, folder.FullName, counts, report);
                if (complaint is null)
                {
                    break;
                }

                if (counts.Current < next)
                {
                    throw new InvalidOperationException($"The worker for {reader.Name} died before the first mutation: {complaint}");
                }

                counts.Failed++;
                report(new Failure(counts.Current, "death", complaint));
                next = counts.Current + 1;
                if (++deaths == MostDeaths)
                {
                    report(new Failure(counts.Current, "deaths", $"{MostDeaths} workers died: the rest is left out"));
                    end = next;
                }
            }

            return new Outcomes(end - first, counts.Same, counts.Other, counts.Sentences, counts.Failed, counts.Milliseconds / 1000.0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Null where the worker came to the end; otherwise what is known of its death.</summary>
    private string? Work(Reader reader, long first, long end, string folder, Counts counts, Action<Failure> report)
    {
        counts.Current = first - 1;
        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "WeakLink.Fuzzing.exe" : "WeakLink.Fuzzing"),
            [WorkerMode, reader.Name, seed.ToString(CultureInfo.InvariantCulture), first.ToString(CultureInfo.InvariantCulture), end.ToString(CultureInfo.InvariantCulture), folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // No core dumps, and neither caches nor archives beside those of the user.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        // More threads only get into each other's way with networks of a few kilobytes.
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["WEAKLINK_CACHE"] = Path.Combine(folder, "cache");
        using var worker = Process.Start(start)!;
        worker.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } json)
            {
                report(JsonSerializer.Deserialize<Failure>(json)!);
            }
        };
        worker.BeginOutputReadLine();
        var complaint = worker.StandardError.ReadToEndAsync();
        var (last, since) = (counts.Current, Stopwatch.GetTimestamp());
        while (!worker.WaitForExit(Glance))
        {
            if (counts.Current != last)
            {
                (last, since) = (counts.Current, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                worker.Kill();
                worker.WaitForExit();
                return FormattableString.Invariant($"hung for {Patience.TotalSeconds} s");
            }
        }

        worker.WaitForExit();
        return worker.ExitCode == 0 ? null : FormattableString.Invariant($"killed the process (exit code {worker.ExitCode}): ") + complaint.Result[..Math.Min(complaint.Result.Length, LongestComplaint)];
    }
}
