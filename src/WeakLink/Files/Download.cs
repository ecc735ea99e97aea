using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace WeakLink.Files;

/// <summary>
/// Fetches a published file of known length and checksum over HTTP. What arrives goes to <c>DESTINATION.part</c>, which a later call resumes; the file
/// appears under its own name only when its checksum is right. Several processes may fetch the same file at once: one does, the others wait for it.
/// </summary>
public sealed class Download
{
    // A flaky line gets fresh attempts as long as each gains something worth it.
    private const long WorthwhileGain = 1 << 20;
    private const int BufferBytes = 1 << 17;

    /// <summary>Attempts in a row that gain nothing before giving up; at least 1.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>Pause before the second attempt; doubled before each further one.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A connection on which nothing arrives for this long counts as dropped.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Fetches <paramref name="source"/> to <paramref name="destination"/>; returns at once where the right file is there already.</summary>
    /// <param name="source">An http or https address.</param>
    /// <param name="destination">Path of the file; its folder is created.</param>
    /// <param name="length">Published length in bytes; nothing longer is ever written.</param>
    /// <param name="checksum">Published checksum in hexadecimal: MD5 (32 digits) or SHA-256 (64 digits).</param>
    /// <param name="progress">Receives at most ten reports a second.</param>
    /// <param name="cancellation">Stops the download; what has arrived is kept for the next call.</param>
    /// <exception cref="InputException">The file can't be fetched, has the wrong length or checksum, or can't be written: one sentence with the remedy.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was requested.</exception>
    public async Task FetchAsync(
        Uri source, string destination, long length, string checksum, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        destination = Path.GetFullPath(destination);
        if (await IsThereAsync(destination, length, checksum, cancellation).ConfigureAwait(false))
        {
            return;
        }

        using var @lock = await LockAsync(destination, cancellation).ConfigureAwait(false);
        if (await IsThereAsync(destination, length, checksum, cancellation).ConfigureAwait(false))
        {
            return;
        }

        var partPath = destination + ".part";
        using (var part = OpenForWriting(partPath))
        {
            var transfer = new Transfer(this, source, destination, part, length, progress);
            await transfer.CompleteAsync(cancellation).ConfigureAwait(false);
            if (!await transfer.HasChecksumAsync(checksum, cancellation).ConfigureAwait(false) && transfer.Resumed)
            {
                // The file may have changed between the two halves: one whole download decides.
                transfer.StartOver();
                await transfer.CompleteAsync(cancellation).ConfigureAwait(false);
            }

            var found = await transfer.ChecksumAsync(checksum, cancellation).ConfigureAwait(false);
            if (!FileChecksum.AreEqual(found, checksum))
            {
                part.Close();
                File.Delete(partPath);
                throw new InputException($"What {source} sent is not the published file (checksum {found}, expected {checksum}) and was deleted: try again later, or {ByHand(source, destination)}.");
            }

            part.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(partPath, destination);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWrite(destination, error);
        }
    }

    /// <summary>True where the right file is there, false where none is.</summary>
    /// <exception cref="InputException">Another file has its place.</exception>
    internal static async Task<bool> IsThereAsync(string path, long length, string checksum, CancellationToken cancellation)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var file = InputFile.Open(path, 1, FileOptions.SequentialScan, FileShare.Read | FileShare.Delete);
            if (file.Length != length)
            {
                throw new InputException($"{path} has {file.Length:N0} bytes, the published file {length:N0}: delete it, then run the same command again to fetch it.");
            }

            var found = await FileChecksum.ComputeAsync(file, checksum, cancellation).ConfigureAwait(false);
            return FileChecksum.AreEqual(found, checksum)
                ? true
                : throw new InputException($"{path} is damaged (checksum {found}, expected {checksum}): delete it, then run the same command again to fetch it.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"Can't read {path} ({error.Message.TrimEnd('.')}): check its permissions.", error);
        }
    }

    private static string ByHand(Uri source, string destination) =>
        $"fetch that file by other means and put it at {destination} (or set {KnownDownloads.MirrorVariable} to a base address that has {Path.GetFileName(source.LocalPath)})";

    // The lock file stays behind, empty: deleting it would let a second process lock a new file of that name while a third still holds the old one.
    private static async Task<FileStream> LockAsync(string destination, CancellationToken cancellation)
    {
        var folder = Path.GetDirectoryName(destination)!;
        var path = Path.Combine(folder, $".{Path.GetFileName(destination)}.lock");
        while (true)
        {
            try
            {
                Directory.CreateDirectory(folder);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (DiskErrors.IsLockedByAnother(error))
            {
                await Task.Delay(TimeSpan.FromSeconds(0.1), cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw DiskErrors.CannotWrite(path, error);
            }
        }
    }

    private static FileStream OpenForWriting(string path)
    {
        try
        {
            // No buffer: a full disk must show at the write, not at some later flush.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWrite(path, error);
        }
    }

    /// <summary>One file on its way: the part that has arrived, and what is known about the server.</summary>
    private sealed class Transfer
    {
        private readonly Download _patience;
        private readonly Uri _source;
        private readonly string _destination;
        private readonly FileStream _part;
        private readonly long _length;
        private readonly ProgressClock _progress;
        private bool _mayResume = true;
        private EntityTagHeaderValue? _tag;

        public Transfer(Download patience, Uri source, string destination, FileStream part, long length, IProgress<DownloadProgress>? progress)
        {
            (_patience, _source, _destination, _part, _length) = (patience, source, destination, part, length);
            if (part.Length > length)
            {
                part.SetLength(0);
            }

            Resumed = part.Length > 0;
            _progress = new ProgressClock(progress, Path.GetFileName(destination), length, part.Length);
        }

        /// <summary>Whether the part was joined from several responses.</summary>
        public bool Resumed { get; private set; }

        public void StartOver()
        {
            _part.SetLength(0);
            _mayResume = false;
            Resumed = false;
        }

        public async Task<string> ChecksumAsync(string like, CancellationToken cancellation)
        {
            _part.Position = 0;
            return await FileChecksum.ComputeAsync(_part, like, cancellation).ConfigureAwait(false);
        }

        public async Task<bool> HasChecksumAsync(string checksum, CancellationToken cancellation) =>
            FileChecksum.AreEqual(await ChecksumAsync(checksum, cancellation).ConfigureAwait(false), checksum);

        public async Task CompleteAsync(CancellationToken cancellation)
        {
            using var client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = _patience.StallLimit }) { Timeout = Timeout.InfiniteTimeSpan };
            client.DefaultRequestHeaders.UserAgent.ParseAdd("WeakLink");
            var failures = 0;
            var furthest = _part.Length;
            while (_part.Length < _length)
            {
                try
                {
                    await ReceiveAsync(client, cancellation).ConfigureAwait(false);
                }
                catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
                {
                    cancellation.ThrowIfCancellationRequested();
                    failures = _part.Length >= furthest + WorthwhileGain ? 1 : failures + 1;
                    furthest = Math.Max(furthest, _part.Length);
                    if (failures >= _patience.Attempts || IsHopeless(error))
                    {
                        throw new InputException($"{_source.Host} could not be reached ({Reason(error)}): check the connection and run the same command again, or {ByHand(_source, _destination)}.", error);
                    }

                    await Task.Delay(_patience.FirstDelay * Math.Pow(2, failures - 1), cancellation).ConfigureAwait(false);
                }
            }
        }

        // Without a network, or with a certificate nobody trusts, waiting changes nothing; in the middle of a file the network was there a moment ago.
        private bool IsHopeless(Exception error) => error is HttpRequestException failure
            && ((failure.HttpRequestError == HttpRequestError.NameResolutionError && _part.Length == 0) || failure.InnerException is AuthenticationException);

        private string Reason(Exception error) => error switch
        {
            OperationCanceledException => $"nothing arrived for {_patience.StallLimit.TotalSeconds:0.#} s, with {Arrived}",
            HttpIOException => $"the connection was closed, with {Arrived}",
            HttpRequestException { StatusCode: { } status } => $"it answered {(int)status} {status}, with {Arrived}",
            HttpRequestException { InnerException: AuthenticationException inner } => inner.Message.TrimEnd('.'),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "its name can't be resolved; is this machine offline?",
            _ => $"{error.Message.TrimEnd('.')}, with {Arrived}",
        };

        private string Arrived => $"{_part.Length:N0} of {_length:N0} bytes received";

        private async Task ReceiveAsync(HttpClient client, CancellationToken cancellation)
        {
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            stall.CancelAfter(_patience.StallLimit);
            using var request = new HttpRequestMessage(HttpMethod.Get, _source);
            var offset = _mayResume ? _part.Length : 0;
            if (offset > 0)
            {
                request.Headers.Range = new RangeHeaderValue(offset, null);
                request.Headers.IfRange = _tag is null ? null : new RangeConditionHeaderValue(_tag);
            }

            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
            if (!IsUsable(response, offset))
            {
                StartOver();
                throw new HttpRequestException("the server can't resume", null, response.StatusCode);
            }

            // A server that ignores the range sends the whole file anew.
            var start = response.StatusCode == HttpStatusCode.PartialContent ? offset : 0;
            Resumed |= start > 0;
            _tag = response.Headers.ETag is { IsWeak: false } tag ? tag : null;
            if (response.Content.Headers.ContentLength is { } announced && announced != _length - start)
            {
                throw new InputException(
                    $"{_source} offers {start + announced:N0} bytes where the published file has {_length:N0}: a login page or proxy may answer in its place; {ByHand(_source, _destination)}.");
            }

            if (_part.Length != start)
            {
                Write(() => _part.SetLength(start));
            }

            _part.Position = start;
            using var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
            var buffer = new byte[BufferBytes];
            while (_part.Position < _length)
            {
                stall.CancelAfter(_patience.StallLimit);
                var wanted = (int)Math.Min(buffer.Length, _length - _part.Position);
                var count = await body.ReadAsync(buffer.AsMemory(0, wanted), stall.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    throw new HttpIOException(HttpRequestError.ResponseEnded);
                }

                Write(() => _part.Write(buffer, 0, count));
                _progress.Report(_part.Position);
            }
        }

        /// <summary>False where the server answered the range with something that does not continue the part.</summary>
        private bool IsUsable(HttpResponseMessage response, long offset)
        {
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    return true;
                case HttpStatusCode.PartialContent when offset > 0:
                    return response.Content.Headers.ContentRange is { } range && range.From == offset && (range.Length ?? _length) == _length;
                case HttpStatusCode.RequestedRangeNotSatisfiable when offset > 0:
                    return false;
                case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                    throw new HttpRequestException(null, null, response.StatusCode);
                default:
                    var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
                    throw new InputException($"{_source} answered {status} {response.ReasonPhrase}: {ByHand(_source, _destination)}.");
            }
        }

        // Only the disk's errors are translated here; the network's are retried.
        private void Write(Action write)
        {
            try
            {
                write();
            }
            catch (IOException error)
            {
                throw DiskErrors.CannotWrite(_part.Name, error);
            }
        }
    }
}
