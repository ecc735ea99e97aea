namespace WeakLink.Files;

/// <summary>Shows a download or an extraction to who observes the run, on the thread that reports it.</summary>
/// <param name="work">What is being done, such as "fetching".</param>
/// <param name="observer">Who is told.</param>
public sealed class ObservedProgress(string work, IRunObserver observer) : IProgress<DownloadProgress>
{
    private const int BytesPerKilobyte = 1000;

    private bool _begun;

    /// <inheritdoc/>
    public void Report(DownloadProgress value)
    {
        if (!_begun)
        {
            observer.Begin($"{work} {value.File}", value.Total / BytesPerKilobyte, "kB", value.Bytes / BytesPerKilobyte);
            _begun = true;
        }

        observer.Advance(value.Bytes / BytesPerKilobyte);
    }
}
