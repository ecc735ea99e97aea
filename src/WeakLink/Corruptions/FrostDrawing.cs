using SkiaSharp;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Corruptions;

/// <summary>Kinds of ice on glass.</summary>
internal enum FrostKind
{
    /// <summary>A thin, streaked layer.</summary>
    Veil,

    /// <summary>Feathers that cover everything.</summary>
    Feathers,

    /// <summary>Long straight crystals that cover everything.</summary>
    Needles,

    /// <summary>Single stars on a dark pane.</summary>
    Stars,

    /// <summary>Frozen drops.</summary>
    Drops,
}

/// <summary>Draws ice: crystals that branch, over clouds and grain; then every pixel gets the colour that belongs to its rank.</summary>
internal static class FrostDrawing
{
    /// <summary>Fractions of the pixels, darkest first, at which a texture's colours are given.</summary>
    private static readonly double[] Quantiles = [0.005, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.995];

    /// <summary>Draws a texture.</summary>
    /// <param name="kind">What ice.</param>
    /// <param name="colours">Colours at <see cref="Quantiles"/>.</param>
    /// <param name="side">Height and width; a power of two.</param>
    /// <param name="random">All draws.</param>
    /// <returns>Three planes.</returns>
    public static byte[] Draw(FrostKind kind, (byte R, byte G, byte B)[] colours, int side, SeededRandom random)
    {
        SkiaLibrary.Require();
        using var bitmap = new SKBitmap(new SKImageInfo(side, side, SKColorType.Gray8, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.Black);
            Crystals(canvas, kind, side, random);
        }

        // Clouds make patches, grain keeps single pixels apart, in the proportions that give the published images' autocorrelation.
        var (cloudy, grainy) = kind is FrostKind.Veil ? (120f, 14f) : (45f, 10f);
        using var clouds = DiamondSquare.Make(side, 1.5, random);
        using var grain = new Planes(1, side, side);
        random.FillNormal(grain.Used);
        var height = new float[side * side];
        for (var y = 0; y < side; y++)
        {
            var drawn = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, side);
            var (cloud, grains) = (clouds.Start(0, y), grain.Start(0, y));
            for (var x = 0; x < side; x++)
            {
                height[(y * side) + x] = drawn[x] + (cloudy * clouds.Values[cloud + x]) + (grainy * grain.Values[grains + x]);
            }
        }

        return Coloured(height, colours);
    }

    private static void Crystals(SKCanvas canvas, FrostKind kind, int side, SeededRandom random)
    {
        var (count, shortest, longest, spread) = kind switch
        {
            FrostKind.Veil => (500, 20, 90, 8),
            FrostKind.Feathers => (2_600, 25, 110, 35),
            FrostKind.Needles => (2_600, 40, 150, 14),
            FrostKind.Stars => (900, 20, 90, 55),
            _ => (6_000, 2, 9, 70),
        };
        using var paint = new SKPaint { IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeCap = SKStrokeCap.Round };
        for (var i = 0; i < count; i++)
        {
            var root = new SKPoint((float)random.NextDouble(0, side), (float)random.NextDouble(0, side));
            // The veil was wiped in one direction; drops run down.
            var direction = kind switch
            {
                FrostKind.Veil => random.NextDouble(-0.9, -0.6),
                FrostKind.Drops => random.NextDouble(1.3, 1.8),
                _ => random.NextDouble(0, 2 * Math.PI),
            };
            var length = random.NextDouble(shortest, longest);
            // Later crystals lie over earlier ones, darker or lighter.
            var light = (byte)random.Next(kind == FrostKind.Stars ? 90 : 40, 256);
            Feather(canvas, paint, root, direction, length, spread * Math.PI / 180, light, random);
        }
    }

    private static void Feather(SKCanvas canvas, SKPaint paint, SKPoint root, double direction, double length, double spread, byte light, SeededRandom random)
    {
        paint.Color = new SKColor(light, light, light, 200);
        paint.StrokeWidth = (float)(1 + (length / 60));
        var tip = Along(root, direction, length);
        canvas.DrawLine(root, tip, paint);
        paint.StrokeWidth = 1;
        const double Spacing = 4;
        for (var at = Spacing; at < length; at += Spacing * random.NextDouble(0.6, 1.4))
        {
            var stem = Along(root, direction, at);
            var branch = 0.35 * (length - at) * random.NextDouble(0.5, 1);
            foreach (var side in (ReadOnlySpan<int>)[-1, 1])
            {
                canvas.DrawLine(stem, Along(stem, direction + (side * spread), branch), paint);
            }
        }
    }

    private static SKPoint Along(SKPoint from, double direction, double length) =>
        new(from.X + (float)(length * Math.Cos(direction)), from.Y + (float)(length * Math.Sin(direction)));

    private static byte[] Coloured(float[] height, (byte R, byte G, byte B)[] colours)
    {
        var order = new int[height.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        Array.Sort(height, order);
        var planes = new byte[3 * height.Length];
        for (var (rank, segment) = (0, 0); rank < order.Length; rank++)
        {
            var quantile = (rank + 0.5) / order.Length;
            while (segment < Quantiles.Length - 2 && quantile > Quantiles[segment + 1])
            {
                segment++;
            }

            var share = Math.Clamp((quantile - Quantiles[segment]) / (Quantiles[segment + 1] - Quantiles[segment]), 0, 1);
            var (dark, bright) = (colours[segment], colours[segment + 1]);
            byte Between(byte low, byte high) => (byte)Math.Round(low + (share * (high - low)));
            planes[order[rank]] = Between(dark.R, bright.R);
            planes[height.Length + order[rank]] = Between(dark.G, bright.G);
            planes[(2 * height.Length) + order[rank]] = Between(dark.B, bright.B);
        }

        return planes;
    }
}
