using System.Diagnostics;

namespace WeakLink.Files;

/// <summary>Reports progress ten times a second at most: a terminal needs no more, and the receiver may be slow.</summary>
internal sealed class ProgressClock(IProgress<DownloadProgress>? progress, string file, long total, long alreadyDone = 0)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.1);

    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _next;

    public void Report(long bytes)
    {
        if (progress is null)
        {
            return;
        }

        var elapsed = Stopwatch.GetElapsedTime(_start);
        if (elapsed < _next && bytes < total)
        {
            return;
        }

        _next = elapsed + Interval;
        var rate = elapsed > TimeSpan.Zero ? Math.Max(0, bytes - alreadyDone) / elapsed.TotalSeconds : 0;
        progress.Report(new DownloadProgress(file, bytes, total, rate));
    }
}
