using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Red, green and blue of a pixel side by side in 32 bits (red lowest, the highest byte unused): what is fetched from a place that
/// differs from pixel to pixel is fetched once, not plane by plane.
/// </summary>
internal static class PackedPixels
{
    /// <summary>Packs a stretch of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="start">Its first pixel, counted row by row.</param>
    /// <param name="packed">Receives as many pixels as it holds.</param>
    public static void Pack(ImageView image, int start, Span<uint> packed)
    {
        var red = image.Plane(0).Slice(start, packed.Length);
        var green = image.Plane(1).Slice(start, packed.Length);
        var blue = image.Plane(2).Slice(start, packed.Length);
        ref var to = ref MemoryMarshal.GetReference(packed);
        var i = 0;
        for (; i <= packed.Length - ByteLanes.Count; i += ByteLanes.Count)
        {
            var pixels = ByteLanes.Load(red, i) | (ByteLanes.Load(green, i) << 8) | (ByteLanes.Load(blue, i) << 16);
            pixels.AsUInt32().StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < packed.Length; i++)
        {
            packed[i] = red[i] | ((uint)green[i] << 8) | ((uint)blue[i] << 16);
        }
    }

    /// <summary>Writes a stretch of an image.</summary>
    /// <param name="packed">Its pixels.</param>
    /// <param name="planes">The whole image's three planes.</param>
    /// <param name="start">The first pixel, counted row by row.</param>
    public static void Unpack(ReadOnlySpan<uint> packed, Span<byte> planes, int start)
    {
        var red = ImageView.Plane(planes, 0).Slice(start, packed.Length);
        var green = ImageView.Plane(planes, 1).Slice(start, packed.Length);
        var blue = ImageView.Plane(planes, 2).Slice(start, packed.Length);
        ref var from = ref MemoryMarshal.GetReference(packed);
        var low = Vector512.Create(0xFF);
        var i = 0;
        for (; i <= packed.Length - ByteLanes.Count; i += ByteLanes.Count)
        {
            var pixels = Vector512.LoadUnsafe(ref from, (nuint)i).AsInt32();
            ByteLanes.Store(pixels & low, red, i);
            ByteLanes.Store((pixels >> 8) & low, green, i);
            ByteLanes.Store((pixels >> 16) & low, blue, i);
        }

        for (; i < packed.Length; i++)
        {
            (red[i], green[i], blue[i]) = ((byte)packed[i], (byte)(packed[i] >> 8), (byte)(packed[i] >> 16));
        }
    }

    /// <summary>A grey pixel.</summary>
    public static uint Grey(byte level) => level * 0x010101u;
}
