using System.Diagnostics;
using SkiaSharp;
using WeakLink.Data;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Benchmarks;

/// <summary>Images a second that the loader delivers: 32x32 ones from memory with crop and flip, and 500x375 JPEGs decoded from disk.</summary>
internal static class LoadingBenchmark
{
    private const int Photographs = 400;

    public static void Run(string? photographs)
    {
        var shapes = ShapesDataset.Splits(CacheFolder.Default, new SilentObserver()).Train;
        var loader = new BatchLoader(shapes, new CropAndFlip(32, 32, 4, true), 128, Environment.ProcessorCount);
        Console.WriteLine(FormattableString.Invariant($"32x32 from memory, crop and flip, batch 128: {Rate(() => loader.Training(0, 0), 20):0} images/s on {Environment.ProcessorCount} cores   (goal: at least 20,000)"));

        using var temporary = new TemporaryPhotographs(photographs);
        var photos = DataSources.Open(new DataRecipe { Source = temporary.Path, Size = 256, CacheMegabytes = 0 }, 0, new SilentObserver()).Train;
        var crop = new CropAndFlip(224, 224, 0, true);
        // A loader prepares up to workers + 1 batches at once, so one core is timed without one.
        Console.WriteLine(FormattableString.Invariant($"500x375 JPEG to 224x224, one core: {OneCore(photos, crop):0} images/s   (goal: at least 300)"));
        var decoding = new BatchLoader(photos, crop, 16, Environment.ProcessorCount);
        Console.WriteLine(FormattableString.Invariant($"500x375 JPEG to 224x224, {Environment.ProcessorCount} cores: {Rate(() => decoding.Training(0, 0), 3):0} images/s"));
    }

    private static double OneCore(Dataset photos, CropAndFlip crop)
    {
        var source = new byte[photos.BytesPerImage];
        var target = new byte[Dataset.Channels * crop.Height * crop.Width];
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < photos.Count; i++)
        {
            photos.Read(i, source);
            crop.Random(source, photos.Height, photos.Width, target, new SeededRandom(0, RandomUse.Augmentation, 0, i));
        }

        return photos.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Rate(Func<IEnumerable<Batch>> epoch, int epochs)
    {
        var images = 0L;
        foreach (var batch in epoch())
        {
            batch.Dispose();
        }

        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < epochs; i++)
        {
            foreach (var batch in epoch())
            {
                images += batch.Labels.shape[0];
                batch.Dispose();
            }
        }

        return images / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The user's photographs, or drawn ones of 500x375 pixels that compress like photographs.</summary>
    private sealed class TemporaryPhotographs : IDisposable
    {
        private readonly bool _own;

        public TemporaryPhotographs(string? folder)
        {
            _own = folder is null;
            Path = folder ?? Directory.CreateTempSubdirectory("weaklink-bench-").FullName;
            if (!_own)
            {
                return;
            }

            for (var i = 0; i < Photographs; i++)
            {
                var to = Directory.CreateDirectory(System.IO.Path.Combine(Path, i % 2 == 0 ? "a" : "b")).FullName;
                using var bitmap = new SKBitmap(500, 375);
                using var canvas = new SKCanvas(bitmap);
                using var paint = new SKPaint { Shader = SKShader.CreatePerlinNoiseTurbulence(0.02f + (i % 7 * 0.01f), 0.03f, 6, i) };
                canvas.Clear(SKColors.SandyBrown);
                canvas.DrawRect(0, 0, 500, 375, paint);
                using var file = File.Create(System.IO.Path.Combine(to, $"{i}.jpg"));
                bitmap.Encode(file, SKEncodedImageFormat.Jpeg, 90);
            }
        }

        public string Path { get; }

        public void Dispose()
        {
            if (_own)
            {
                Directory.Delete(Path, recursive: true);
            }
        }
    }
}
