using System.Net;
using System.Net.Sockets;
using System.Text;

namespace WeakLink.Tests.Data;

/// <summary>An HTTP server on loopback that answers the n-th request with the n-th step of a script, the last step for ever, however wrong it is.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<Request, Stream, CancellationToken, Task>[] _script;
    private readonly List<Request> _requests = [];

    public ScriptedServer(params Func<Request, Stream, CancellationToken, Task>[] script)
    {
        _script = script;
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/data/file.bin");

    public IReadOnlyList<Request> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Answers with any head and body, then closes.</summary>
    public static Func<Request, Stream, CancellationToken, Task> Raw(string head, byte[] body) => async (_, stream, end) =>
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ReplaceLineEndings("\r\n") + "\r\nConnection: close\r\n\r\n"), end);
        await stream.WriteAsync(body, end);
    };

    public static Func<Request, Stream, CancellationToken, Task> Status(int code) => Raw($"HTTP/1.1 {code} Because\nContent-Length: 0", []);

    /// <summary>The whole file, whatever was asked for.</summary>
    public static Func<Request, Stream, CancellationToken, Task> Whole(byte[] file, string more = "") => Raw($"HTTP/1.1 200 OK\nContent-Length: {file.Length}{more}", file);

    /// <summary>Announces the whole file, sends only its start and closes.</summary>
    public static Func<Request, Stream, CancellationToken, Task> Cut(byte[] file, int sent, string more = "") =>
        Raw($"HTTP/1.1 200 OK\nContent-Length: {file.Length}{more}", file[..sent]);

    /// <summary>What a good server does: a range where one is asked for, unless If-Range names another version.</summary>
    public static Func<Request, Stream, CancellationToken, Task> Good(byte[] file, string tag = "\"1\"") => (request, stream, end) =>
        request.Range is { } from && (request.IfRange is null || request.IfRange == tag)
            ? Raw($"HTTP/1.1 206 Partial Content\nContent-Range: bytes {from}-{file.Length - 1}/{file.Length}\nContent-Length: {file.Length - from}\nETag: {tag}", file[from..])(request, stream, end)
            : Whole(file, $"\nETag: {tag}")(request, stream, end);

    /// <summary>Sends a start, then nothing, and keeps the connection.</summary>
    public static Func<Request, Stream, CancellationToken, Task> Stall(byte[] file, int sent) => async (_, stream, end) =>
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {file.Length}\r\n\r\n"), end);
        await stream.WriteAsync(file.AsMemory(0, sent), end);
        await Task.Delay(Timeout.Infinite, end);
    };

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var _ = client;
            var stream = client.GetStream();
            var head = new StringBuilder();
            var buffer = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(buffer, _end.Token) == 0)
                {
                    return;
                }

                head.Append((char)buffer[0]);
            }

            var request = new Request(head.ToString());
            int step;
            lock (_requests)
            {
                step = _requests.Count;
                _requests.Add(request);
            }

            await _script[Math.Min(step, _script.Length - 1)](request, stream, _end.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away, or the test is over.
        }
    }

    internal sealed record Request(string Head)
    {
        public int? Range => Header("Range") is { } range ? int.Parse(range["bytes=".Length..].TrimEnd('-')) : null;

        public string? IfRange => Header("If-Range");

        public string Path => Head.Split(' ')[1];

        private string? Header(string name) => Head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
    }
}
