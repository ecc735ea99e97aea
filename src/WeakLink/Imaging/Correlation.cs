using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>
/// Weighted sums of shifted pixels: what Gaussian, defocus and motion blur have in common. A tap is an offset into the planes' values
/// and a weight; the margin must be wide enough for every offset, and filled.
/// </summary>
internal static class Correlation
{
    /// <summary>Every pixel of <paramref name="result"/> becomes Σ weight × the source's pixel at its offset.</summary>
    /// <param name="source">Planes with a filled margin.</param>
    /// <param name="offsets">From a pixel to that of the tap, in <paramref name="source"/>'s strides.</param>
    /// <param name="weights">As many as offsets.</param>
    /// <param name="result">Planes of the same size; its margin is undefined afterwards.</param>
    public static void Apply(Planes source, ReadOnlySpan<int> offsets, ReadOnlySpan<float> weights, Planes result)
    {
        for (var plane = 0; plane < source.Count; plane++)
        {
            for (var y = 0; y < source.Height; y++)
            {
                Row(source.Values, source.Start(plane, y), offsets, weights, result.Values[result.Start(plane, y)..], source.Width);
            }
        }
    }

    /// <summary>One row: result[x] = Σ weights[t] × source[start + offsets[t] + x]. Writes whole vectors, up to 15 values more than the width.</summary>
    public static void Row(
        ReadOnlySpan<float> source, int start, ReadOnlySpan<int> offsets, ReadOnlySpan<float> weights, Span<float> result, int width)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(result);
        var x = 0;
        for (; x + (3 * Planes.Lanes) < width; x += 4 * Planes.Lanes)
        {
            Vector512<float> a = default, b = default, c = default, d = default;
            for (var t = 0; t < offsets.Length; t++)
            {
                var weight = Vector512.Create(weights[t]);
                var place = (nuint)(start + offsets[t] + x);
                a = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place), a);
                b = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place + Planes.Lanes), b);
                c = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place + (2 * Planes.Lanes)), c);
                d = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place + (3 * Planes.Lanes)), d);
            }

            a.StoreUnsafe(ref to, (nuint)x);
            b.StoreUnsafe(ref to, (nuint)(x + Planes.Lanes));
            c.StoreUnsafe(ref to, (nuint)(x + (2 * Planes.Lanes)));
            d.StoreUnsafe(ref to, (nuint)(x + (3 * Planes.Lanes)));
        }

        for (; x + Planes.Lanes < width; x += 2 * Planes.Lanes)
        {
            Vector512<float> a = default, b = default;
            for (var t = 0; t < offsets.Length; t++)
            {
                var weight = Vector512.Create(weights[t]);
                var place = (nuint)(start + offsets[t] + x);
                a = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place), a);
                b = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref from, place + Planes.Lanes), b);
            }

            a.StoreUnsafe(ref to, (nuint)x);
            b.StoreUnsafe(ref to, (nuint)(x + Planes.Lanes));
        }

        for (; x < width; x += Planes.Lanes)
        {
            Vector512<float> a = default;
            for (var t = 0; t < offsets.Length; t++)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.Create(weights[t]), Vector512.LoadUnsafe(ref from, (nuint)(start + offsets[t] + x)), a);
            }

            a.StoreUnsafe(ref to, (nuint)x);
        }
    }
}
