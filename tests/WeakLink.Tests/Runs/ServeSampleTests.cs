using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using WeakLink.Runs;
using WeakLink.Tests.Data;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Runs;

/// <summary>samples/Serve, as a process of its own, over loopback.</summary>
public class ServeSampleTests
{
    private const int AtOnce = 64;

    [Fact]
    public async Task ValidHostileAndManyRequests_AreAnswered()
    {
        using var folder = new TemporaryFolder();
        var run = Networks.Save(folder["run.safetensors"], "resnet8", "shapes", 32, ["cat", "dog", "hen"]);
        var files = Pictures.WriteEveryKind(folder["pets"], 32, 32);
        using var predictor = Predictor.Load(run);
        using var server = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Serve"), [run, "--urls", "http://127.0.0.1:0"]) { RedirectStandardOutput = true })!;
        try
        {
            var line = await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.StartsWith("Listening on http://127.0.0.1:", line);
            using var client = new HttpClient { BaseAddress = new Uri(line!["Listening on ".Length..]) };

            Assert.Equal("Healthy", await client.GetStringAsync("/health", TestContext.Current.CancellationToken));
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async i =>
            {
                var file = files[i % files.Count];
                var (status, document) = await Post(client, await File.ReadAllBytesAsync(file));
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.Equal(predictor.Predict(file).Class, document.GetProperty("class").GetString());
                Assert.Equal(3, document.GetProperty("best").GetArrayLength());
            }));

            Assert.Equal((HttpStatusCode.UnprocessableEntity, true), await Refused(client, [], "not a readable image"));
            Assert.Equal((HttpStatusCode.UnprocessableEntity, true), await Refused(client, [.. "GIF89a"u8, 255, 255, 255, 255], "not a readable image"));
            Assert.Equal((HttpStatusCode.UnprocessableEntity, true), await Refused(client, (await File.ReadAllBytesAsync(files[2], TestContext.Current.CancellationToken))[..^60], "truncated"));
            Assert.Equal((HttpStatusCode.RequestEntityTooLarge, true), await Refused(client, new byte[20_000_001], "too large"));
            await DripsTooSlowly(client.BaseAddress);

            var (after, _) = await Post(client, await File.ReadAllBytesAsync(files[0], TestContext.Current.CancellationToken));
            Assert.Equal(HttpStatusCode.OK, after);
            Assert.False(server.HasExited);
        }
        finally
        {
            server.Kill();
        }
    }

    private static async Task<(HttpStatusCode Status, JsonElement Document)> Post(HttpClient client, byte[] picture)
    {
        // Asks before it sends, so that a refusal by length alone meets nobody who is still writing.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/predict") { Content = new ByteArrayContent(picture), Headers = { ExpectContinue = true } };
        using var response = await client.SendAsync(request);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (response.StatusCode, document.RootElement.Clone());
    }

    private static async Task<(HttpStatusCode Status, bool Says)> Refused(HttpClient client, byte[] picture, string why)
    {
        var (status, document) = await Post(client, picture);
        return (status, document.GetProperty("detail").GetString()!.Contains(why, StringComparison.Ordinal));
    }

    // A hundred bytes are promised, one comes.
    private static async Task DripsTooSlowly(Uri address)
    {
        using var socket = new TcpClient(address.Host, address.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"u8.ToArray());
        using var reader = new StreamReader(stream);
        Assert.Contains(" 408 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }
}
