// A network behind HTTP: POST a picture to /predict, GET /health.
using TorchSharp;
using WeakLink;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;

if (args.Length < 1)
{
    Console.Error.WriteLine("Usage: Serve MODEL [--urls http://localhost:8080]");
    return 2;
}

// What strangers may send: a large photo, not a bomb; and how long they may take to send it.
var limits = new ImageLimits(Bytes: 20_000_000, Pixels: 50_000_000);
var patience = TimeSpan.FromSeconds(10);

// Each request computes on one core; more at once than there are cores would only take turns.
Predictor predictor;
try
{
    NativeLibraries.Load();
    torch.set_num_threads(1);
    predictor = Predictor.Load(args[0]);
}
catch (InputException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

using var loaded = predictor;
using var cores = new SemaphoreSlim(Environment.ProcessorCount);

var builder = WebApplication.CreateBuilder(args[1..]);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = limits.Bytes);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddHealthChecks();
var app = builder.Build();

app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}"));
app.MapHealthChecks("/health");
app.MapPost("/predict", async (HttpRequest request, CancellationToken gone) =>
{
    // Read first, so that a slow sender holds no core.
    using var picture = new MemoryStream();
    using (var hurry = CancellationTokenSource.CreateLinkedTokenSource(gone))
    {
        hurry.CancelAfter(patience);
        try
        {
            await request.Body.CopyToAsync(picture, hurry.Token);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            return Results.Problem($"The picture did not arrive within {patience.TotalSeconds} seconds.", statusCode: StatusCodes.Status408RequestTimeout);
        }
        catch (BadHttpRequestException error)
        {
            return Results.Problem(error.Message, statusCode: error.StatusCode);
        }
    }

    picture.Position = 0;
    await cores.WaitAsync(gone);
    try
    {
        // Decoding and computing are work, not waiting: not on the threads that answer.
        var found = await Task.Run(() => predictor.Predict(picture, "the picture", limits), gone);
        return Results.Ok(new { found.Class, found.Confidence, Best = found.Probabilities.Take(3) });
    }
    catch (InputException error)
    {
        return Results.Problem(error.Message, statusCode: StatusCodes.Status422UnprocessableEntity);
    }
    finally
    {
        cores.Release();
    }
});

await app.RunAsync();
return 0;
