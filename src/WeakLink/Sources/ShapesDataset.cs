using System.IO.Hashing;
using WeakLink.Data;

namespace WeakLink.Sources;

/// <summary>
/// The embedded data set: ten kinds of figure, drawn by code in 32x32 pixels with random pose, colours, textures, background,
/// clutter, light and noise, so that neither colour nor position tells the class. Deterministic, no files.
/// </summary>
public static class ShapesDataset
{
    /// <summary>Height and width in pixels.</summary>
    public const int Size = 32;

    // The data set is one fixed thing, like CIFAR-10: the seed of a run does not change it.
    private const long Seed = 20_261_123;
    private const int Samples = 3;
    private const int BytesPerImage = Dataset.Channels * Size * Size;

    private const string FileName = "shapes";
    private const int ChecksumBytes = 16;
    private const int ImagesAtATime = 500;

    /// <summary>The ten classes.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["arrow", "crescent", "cross", "disc", "heart", "hexagon", "ring", "square", "star", "triangle"];

    private static readonly int[] Counts = [10_000, 1_000, 2_000];

    /// <summary>
    /// 10,000 training, 1,000 validation and 2,000 test images, every class equally often. They are drawn once, which takes some ten seconds, and kept in the
    /// cache folder (<c>shapes</c>, 40 MB).
    /// </summary>
    /// <param name="cacheFolder">Where they are kept.</param>
    /// <param name="observer">Told of the images drawn.</param>
    /// <param name="stop">Stops between some images.</param>
    public static DataSplits Splits(string cacheFolder, IRunObserver observer, CancellationToken stop = default)
    {
        var pixels = Kept(cacheFolder) ?? Drawn(cacheFolder, observer, stop);
        return new(Part(0), Part(1), Part(2), []);

        MemoryDataset Part(int split) => new(
            "shapes", Classes, Size, Size, [.. Enumerable.Range(0, Counts[split]).Select(i => pixels[Place(split, i)..Place(split, i + 1)])], [.. Enumerable.Range(0, Counts[split]).Select(i => i % Classes.Count)]);
    }

    private static int Place(int split, int index) => (Counts.Take(split).Sum() + index) * BytesPerImage;

    // Drawing is the judge, not a version: other mathematics libraries round sines otherwise, and code changes. So a picture of each class and split is drawn and compared.
    private static byte[]? Kept(string cacheFolder)
    {
        try
        {
            var file = Path.Combine(cacheFolder, FileName);
            var bytes = File.Exists(file) ? InputFile.ReadAll(file) : [];
            var length = Place(Counts.Length, 0);
            return bytes.Length == length + ChecksumBytes && XxHash128.Hash(bytes.AsSpan(0, length)).AsSpan().SequenceEqual(bytes.AsSpan(length))
                && Enumerable.Range(0, Counts.Length).All(split => Enumerable.Range(0, Classes.Count).All(i => bytes.AsSpan(Place(split, i), BytesPerImage).SequenceEqual(Draw(split, i))))
                ? bytes
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static byte[] Drawn(string cacheFolder, IRunObserver observer, CancellationToken stop)
    {
        var pixels = new byte[Place(Counts.Length, 0)];
        observer.Begin("drawing", Counts.Sum(), "images");
        var done = 0;
        for (var split = 0; split < Counts.Length; split++)
        {
            for (var first = 0; first < Counts[split]; first += ImagesAtATime)
            {
                stop.ThrowIfCancellationRequested();
                var end = Math.Min(first + ImagesAtATime, Counts[split]);
                Parallel.For(first, end, i => Draw(split, i).CopyTo(pixels, Place(split, i)));
                observer.Advance(done += end - first);
            }
        }

        AtomicFile.WriteCache(Path.Combine(cacheFolder, FileName), stream =>
        {
            stream.Write(pixels);
            stream.Write(XxHash128.Hash(pixels));
        });
        return pixels;
    }

    /// <summary>Draws one image.</summary>
    /// <param name="split">0 training, 1 validation, 2 test.</param>
    /// <param name="index">Which image; its class is index mod 10.</param>
    /// <returns>Three planes of 32 × 32 bytes.</returns>
    public static byte[] Draw(int split, int index)
    {
        var random = new SeededRandom(Seed, RandomUse.Shapes, split, index);
        var background = Texture.Next(random);
        var pose = Pose.Next(random);
        var foreground = Texture.Next(random, differentFrom: background);
        // Those that are drawn last hide the others.
        var clutter = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Clutter.Next(random)).Reverse().ToArray();
        var (front, behind) = (clutter.Where(piece => piece.InFront).ToArray(), clutter.Where(piece => !piece.InFront).ToArray());
        var (lightX, lightY, ambient) = (random.NextDouble(-0.25, 0.25), random.NextDouble(-0.25, 0.25), random.NextDouble(0.75, 1.1));
        var noise = random.NextDouble(0, 12);
        var label = index % Classes.Count;

        var image = new byte[3 * Size * Size];
        Span<double> pixel = stackalloc double[3];
        Span<double> colour = stackalloc double[3];
        for (var y = 0; y < Size; y++)
        {
            for (var x = 0; x < Size; x++)
            {
                pixel.Clear();
                for (var sample = 0; sample < Samples * Samples; sample++)
                {
                    // Image coordinates from -1 to 1.
                    var u = ((x + (((sample % Samples) + 0.5) / Samples)) / Size * 2) - 1;
                    var v = ((y + (((sample / Samples) + 0.5) / Samples)) / Size * 2) - 1;
                    var (a, b) = pose.ToFigure(u, v);
                    if (Topmost(front, u, v) is { } before)
                    {
                        before.CopyTo(colour);
                    }
                    else if (Inside(label, a, b))
                    {
                        foreground.At(a, b, colour);
                    }
                    else if (Topmost(behind, u, v) is { } below)
                    {
                        below.CopyTo(colour);
                    }
                    else
                    {
                        background.At(u, v, colour);
                    }

                    for (var c = 0; c < 3; c++)
                    {
                        pixel[c] += colour[c];
                    }
                }

                var light = ambient + (lightX * ((2.0 * x / Size) - 1)) + (lightY * ((2.0 * y / Size) - 1));
                for (var c = 0; c < 3; c++)
                {
                    var value = (pixel[c] / (Samples * Samples) * light * 255) + (noise * random.NextNormal());
                    image[(((c * Size) + y) * Size) + x] = (byte)Math.Clamp(Math.Round(value), 0, 255);
                }
            }
        }

        return image;
    }

    private static double[]? Topmost(Clutter[] pieces, double u, double v)
    {
        foreach (var piece in pieces)
        {
            if (piece.Contains(u, v))
            {
                return piece.Colour;
            }
        }

        return null;
    }

    private static bool Inside(int label, double x, double y)
    {
        var radius = Math.Sqrt((x * x) + (y * y));
        switch (label)
        {
            case 0: // arrow
                return (Math.Abs(y) < 0.24 && x > -0.95 && x < 0.1) || (x >= 0.1 && x < 0.95 && Math.Abs(y) < 0.72 * (0.95 - x) / 0.85);
            case 1: // crescent
                return radius < 0.9 && Math.Pow(x - 0.42, 2) + (y * y) > 0.72 * 0.72;
            case 2: // cross
                return (Math.Abs(x) < 0.27 && Math.Abs(y) < 0.88) || (Math.Abs(y) < 0.27 && Math.Abs(x) < 0.88);
            case 3: // disc
                return radius < 0.82;
            case 4: // heart
                var (hx, hy) = (x * 1.2, (-y * 1.2) + 0.12);
                var body = (hx * hx) + (hy * hy) - 0.75;
                return (body * body * body) - (hx * hx * hy * hy * hy * 1.35) < 0;
            case 5: // hexagon
                return Polygon(6, 0.9, x, y);
            case 6: // ring
                return radius is < 0.88 and > 0.5;
            case 7: // square
                return Math.Abs(x) < 0.72 && Math.Abs(y) < 0.72;
            case 8: // star
                var turn = Math.Atan2(x, -y) * 5 / (2 * Math.PI);
                var fold = Math.Abs(turn - Math.Round(turn)) * 2;
                return radius < 0.98 - (0.6 * fold);
            case 9: // triangle
                return Polygon(3, 0.98, x, y + 0.1);
            default:
                throw new ArgumentOutOfRangeException(nameof(label));
        }
    }

    private static bool Polygon(int corners, double radius, double x, double y)
    {
        var sector = 2 * Math.PI / corners;
        var angle = Math.Atan2(x, -y);
        var within = angle - (Math.Round(angle / sector) * sector);
        return Math.Sqrt((x * x) + (y * y)) * Math.Cos((sector / 2) - Math.Abs(within)) < radius * Math.Cos(sector / 2);
    }

    private sealed record Pose(double X, double Y, double Cos, double Sin, double ScaleX, double ScaleY, double Shear)
    {
        public static Pose Next(SeededRandom random)
        {
            var scale = random.NextDouble(0.46, 0.84);
            var stretch = random.NextDouble(0.85, 1.18);
            var angle = random.NextDouble(-0.65, 0.65);
            var room = 1.0 - scale;
            return new Pose(
                random.NextDouble(-room, room), random.NextDouble(-room, room), Math.Cos(angle), Math.Sin(angle), scale * stretch, scale / stretch, random.NextDouble(-0.15, 0.15));
        }

        public (double X, double Y) ToFigure(double u, double v)
        {
            var (dx, dy) = (u - X, v - Y);
            var (x, y) = ((Cos * dx) + (Sin * dy), (Cos * dy) - (Sin * dx));
            return ((x + (Shear * y)) / ScaleX, y / ScaleY);
        }
    }

    /// <summary>Two colours in a pattern: flat, a gradient, stripes, checks, or smooth noise.</summary>
    private sealed record Texture(int Kind, double[] First, double[] Second, double Frequency, double Cos, double Sin, double Phase)
    {
        public static Texture Next(SeededRandom random, Texture? differentFrom = null)
        {
            var first = NextColour(random);
            // Light and dark figures, but never one that can't be seen: keep the main colours apart.
            while (differentFrom is not null && Distance(first, differentFrom.Mean) < 0.45)
            {
                first = NextColour(random);
            }

            var second = NextColour(random);
            var blend = random.NextDouble(0.1, differentFrom is null ? 0.6 : 0.35);
            for (var c = 0; c < 3; c++)
            {
                second[c] = first[c] + (blend * (second[c] - first[c]));
            }

            var angle = random.NextDouble(0, Math.PI);
            return new Texture(random.Next(5), first, second, random.NextDouble(3, 9), Math.Cos(angle), Math.Sin(angle), random.NextDouble(0, 6.28));
        }

        private double[] Mean => [(First[0] + Second[0]) / 2, (First[1] + Second[1]) / 2, (First[2] + Second[2]) / 2];

        public void At(double u, double v, Span<double> colour)
        {
            var (along, across) = ((Cos * u) + (Sin * v), (Cos * v) - (Sin * u));
            var mix = Kind switch
            {
                0 => 0,
                1 => Math.Clamp((along + 1) / 2, 0, 1),
                2 => Math.Sin((Frequency * along) + Phase) > 0 ? 1 : 0,
                3 => Math.Sin((Frequency * along) + Phase) * Math.Sin((Frequency * across) + Phase) > 0 ? 1 : 0,
                _ => 0.5 + (0.25 * (Math.Sin((Frequency * along) + Phase + Math.Sin(3 * across)) + Math.Sin((0.7 * Frequency * across) + (2 * Phase) + Math.Sin(2.3 * along)))),
            };
            for (var c = 0; c < 3; c++)
            {
                colour[c] = First[c] + (mix * (Second[c] - First[c]));
            }
        }

        private static double Distance(double[] a, double[] b) => Math.Sqrt(Math.Pow(a[0] - b[0], 2) + Math.Pow(a[1] - b[1], 2) + Math.Pow(a[2] - b[2], 2));
    }

    /// <summary>A small distracting disc or bar.</summary>
    private sealed record Clutter(double X, double Y, double Cos, double Sin, double Length, double Breadth, double[] Colour, bool InFront)
    {
        public static Clutter Next(SeededRandom random)
        {
            var angle = random.NextDouble(0, Math.PI);
            var bar = random.NextBool();
            var breadth = random.NextDouble(0.05, bar ? 0.09 : 0.2);
            return new Clutter(
                random.NextDouble(-1, 1), random.NextDouble(-1, 1), Math.Cos(angle), Math.Sin(angle), bar ? random.NextDouble(0.2, 0.6) : breadth, breadth, NextColour(random), random.NextBool(0.3));
        }

        // A little further than its farthest corner.
        private readonly double _reach = 1.001 * ((Length * Length) + (Breadth * Breadth));

        public bool Contains(double u, double v)
        {
            var (dx, dy) = (u - X, v - Y);
            if ((dx * dx) + (dy * dy) > _reach)
            {
                return false;
            }

            var (along, across) = (((Cos * dx) + (Sin * dy)) / Length, ((Cos * dy) - (Sin * dx)) / Breadth);
            return Length == Breadth ? (along * along) + (across * across) < 1 : Math.Abs(along) < 1 && Math.Abs(across) < 1;
        }
    }

    private static double[] NextColour(SeededRandom random) => [random.NextDouble(), random.NextDouble(), random.NextDouble()];
}
