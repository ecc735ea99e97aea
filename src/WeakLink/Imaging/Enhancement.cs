using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Between an image and one that lacks something, or beyond: equal to Pillow 9.4's <c>ImageEnhance</c>. A factor of 0 gives the image
/// that lacks, 1 the image itself, more than 1 exaggerates.
/// </summary>
internal static class Enhancement
{
    /// <summary>Lacking colour: grey is Pillow's weighting (ITU-R BT.601, in 65,536ths).</summary>
    /// <param name="planes">Three planes, changed in place.</param>
    /// <param name="factor">At least 0.</param>
    public static void Colour(Span<byte> planes, double factor)
    {
        var red = ImageView.Plane(planes, 0);
        var green = ImageView.Plane(planes, 1);
        var blue = ImageView.Plane(planes, 2);
        var scale = Vector512.Create((float)factor);
        for (var i = 0; i < red.Length; i += ByteLanes.Count)
        {
            var (r, g, b) = (ByteLanes.Load(red, i), ByteLanes.Load(green, i), ByteLanes.Load(blue, i));
            var grey = Grey(r, g, b);
            ByteLanes.Store(Blend(grey, r, scale), red, i);
            ByteLanes.Store(Blend(grey, g, scale), green, i);
            ByteLanes.Store(Blend(grey, b, scale), blue, i);
        }
    }

    /// <summary>Lacking contrast: everything is the image's mean grey.</summary>
    /// <inheritdoc cref="Colour"/>
    public static void Contrast(Span<byte> planes, double factor) => Blend(MeanGrey(planes), planes, factor);

    /// <summary>Lacking light: everything is black.</summary>
    /// <inheritdoc cref="Colour"/>
    public static void Brightness(Span<byte> planes, double factor) => Blend(0, planes, factor);

    /// <summary>
    /// Lacking sharpness: every pixel is the mean of the 3 × 3 around it, its own level counted five times; those at the border stay.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="factor">At least 0.</param>
    /// <param name="result">Receives as many bytes as the image has.</param>
    public static void Sharpness(ImageView image, double factor, Span<byte> result)
    {
        image.Planes.CopyTo(result);
        if (image.Height < 3 || image.Width < 3)
        {
            return;
        }

        var (length, width) = (image.Height * image.Width, image.Width);
        var scale = Vector512.Create((float)factor);
        for (var channel = 0; channel < ImageView.Channels; channel++)
        {
            // All pixels between the first and the last that aren't at the border, in one go: the ends of the rows are mended afterwards.
            var plane = image.Plane(channel);
            var sharp = result.Slice(channel * length, length);
            var inner = sharp[..(length - width - 1)];
            for (var i = width + 1; i < inner.Length; i += ByteLanes.Count)
            {
                var value = ByteLanes.Load(plane, i);
                ByteLanes.Store(Blend(Smooth(plane, i, width, value), value, scale), inner, i);
            }

            for (var left = width; left < length - width; left += width)
            {
                sharp[left] = plane[left];
                sharp[left + width - 1] = plane[left + width - 1];
            }
        }
    }

    private static Vector512<int> Smooth(ReadOnlySpan<byte> plane, int at, int width, Vector512<int> value)
    {
        var (above, below) = (at - width, at + width);
        var sum = ByteLanes.Load(plane, above - 1) + ByteLanes.Load(plane, above) + ByteLanes.Load(plane, above + 1)
            + ByteLanes.Load(plane, at - 1) + ByteLanes.Load(plane, at + 1)
            + ByteLanes.Load(plane, below - 1) + ByteLanes.Load(plane, below) + ByteLanes.Load(plane, below + 1)
            + (value << 2) + value;
        // Thirteenths, rounded: 5042 / 65536 is near enough for every sum that there can be.
        return ((sum + Vector512.Create(6)) * Vector512.Create(5042)) >> 16;
    }

    private static int MeanGrey(ReadOnlySpan<byte> planes)
    {
        const int Summed = 1 << 22;
        var red = ImageView.Plane(planes, 0);
        var green = ImageView.Plane(planes, 1);
        var blue = ImageView.Plane(planes, 2);
        var total = 0L;
        for (var start = 0; start < red.Length; start += Summed)
        {
            // A lane holds the grey levels of this many pixels.
            var sums = Vector512<int>.Zero;
            for (var i = start; i < Math.Min(start + Summed, red.Length); i += ByteLanes.Count)
            {
                sums += Grey(ByteLanes.Load(red, i), ByteLanes.Load(green, i), ByteLanes.Load(blue, i));
            }

            total += Vector512.Sum(sums);
        }

        return (int)(((double)total / red.Length) + 0.5);
    }

    private static void Blend(int lacking, Span<byte> bytes, double factor)
    {
        var (from, scale) = (Vector512.Create(lacking), Vector512.Create((float)factor));
        for (var i = 0; i < bytes.Length; i += ByteLanes.Count)
        {
            ByteLanes.Store(Blend(from, ByteLanes.Load(bytes, i), scale), bytes, i);
        }
    }

    // In single precision and cut off, as Pillow does it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Blend(Vector512<int> lacking, Vector512<int> value, Vector512<float> factor)
    {
        var blend = Vector512.ConvertToSingle(lacking) + (factor * Vector512.ConvertToSingle(value - lacking));
        return Vector512.ConvertToInt32Native(Vector512.Min(Vector512.Max(blend, Vector512<float>.Zero), Vector512.Create(255f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Grey(Vector512<int> red, Vector512<int> green, Vector512<int> blue) =>
        ((red * Vector512.Create(19595)) + (green * Vector512.Create(38470)) + (blue * Vector512.Create(7471)) + Vector512.Create(0x8000)) >> 16;
}
