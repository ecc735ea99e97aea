using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>Weighted sums of images, in single precision.</summary>
internal static class Mixing
{
    /// <summary>Begins a sum.</summary>
    /// <param name="bytes">An image.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="sums">As many numbers as the image has bytes.</param>
    public static void Start(ReadOnlySpan<byte> bytes, float weight, Span<float> sums)
    {
        sums.Clear();
        Add(bytes, weight, sums);
    }

    /// <summary>Adds an image to a sum.</summary>
    /// <inheritdoc cref="Start"/>
    public static void Add(ReadOnlySpan<byte> bytes, float weight, Span<float> sums)
    {
        ref var sum = ref MemoryMarshal.GetReference(sums[..bytes.Length]);
        var i = 0;
        for (; i <= bytes.Length - ByteLanes.Count; i += ByteLanes.Count)
        {
            var more = Vector512.ConvertToSingle(ByteLanes.Load(bytes, i)) * weight;
            (Vector512.LoadUnsafe(ref sum, (nuint)i) + more).StoreUnsafe(ref sum, (nuint)i);
        }

        for (; i < bytes.Length; i++)
        {
            sums[i] += bytes[i] * weight;
        }
    }

    /// <summary>Writes a sum as an image, rounded.</summary>
    /// <param name="sums">The sum of images whose weights make 1.</param>
    /// <param name="bytes">Receives as many bytes.</param>
    public static void Round(ReadOnlySpan<float> sums, Span<byte> bytes)
    {
        ref var sum = ref MemoryMarshal.GetReference(sums[..bytes.Length]);
        var i = 0;
        for (; i <= bytes.Length - ByteLanes.Count; i += ByteLanes.Count)
        {
            ByteLanes.Store(Vector512.ConvertToInt32Native(Vector512.LoadUnsafe(ref sum, (nuint)i) + Vector512.Create(0.5f)), bytes, i);
        }

        for (; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(sums[i] + 0.5f);
        }
    }
}
