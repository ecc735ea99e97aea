using System.Diagnostics;
using WeakLink.Runs;

namespace WeakLink.Benchmarks;

/// <summary>64 pictures, each a request to samples/Serve of its own, all at once, beside one batch of them in this process.</summary>
internal static class ServeBenchmark
{
    private const int AtOnce = 64;
    private const int Rounds = 5;

    public static async Task Run(string address, string model, string folder)
    {
        var files = Directory.GetFiles(folder).Order(StringComparer.Ordinal).ToList();
        var pictures = Enumerable.Range(0, AtOnce).Select(i => File.ReadAllBytes(files[i % files.Count])).ToList();
        using var predictor = Predictor.Load(model);
        using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(5) };
        Console.WriteLine("round  requests, images/s  slowest, s  batch, images/s  requests to batch");
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.GetTimestamp();
            var times = await Task.WhenAll(pictures.Select(picture => Post(client, picture)));
            var requests = AtOnce / Stopwatch.GetElapsedTime(clock).TotalSeconds;

            clock = Stopwatch.GetTimestamp();
            var prepared = new PreparedImage[AtOnce];
            Parallel.For(0, AtOnce, i =>
            {
                using var stream = new MemoryStream(pictures[i]);
                prepared[i] = predictor.Prepare(stream, "picture");
            });
            _ = predictor.Predict(prepared);
            var batch = AtOnce / Stopwatch.GetElapsedTime(clock).TotalSeconds;
            // The first compiles and warms up.
            if (round > 0)
            {
                Console.WriteLine(FormattableString.Invariant($"{round,5}  {requests,18:0}  {times.Max(),10:0.000}  {batch,15:0}  {requests / batch,17:0.00}"));
            }
        }
    }

    private static async Task<double> Post(HttpClient client, byte[] picture)
    {
        var clock = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent(picture);
        using var response = await client.PostAsync(new Uri("/predict", UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
        _ = await response.Content.ReadAsStringAsync();
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }
}
