namespace WeakLink.Files;

/// <summary>How far a download or the extraction of an archive has come.</summary>
/// <param name="File">Name of the file that is fetched or extracted.</param>
/// <param name="Bytes">Bytes of it that are done, those of an earlier, resumed run included.</param>
/// <param name="Total">Bytes in all.</param>
/// <param name="BytesPerSecond">Mean rate of this run.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long Total, double BytesPerSecond);
