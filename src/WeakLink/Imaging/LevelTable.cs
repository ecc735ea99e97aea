using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace WeakLink.Imaging;

/// <summary>Replacing every grey level by another one.</summary>
internal static class LevelTable
{
    /// <summary>Grey levels of a byte.</summary>
    public const int Levels = 256;

    /// <summary>Replaces.</summary>
    /// <param name="table">What each of the 256 levels becomes.</param>
    /// <param name="bytes">Changed in place.</param>
    public static void Apply(ReadOnlySpan<byte> table, Span<byte> bytes)
    {
        var i = 0;
        if (Avx512Vbmi.IsSupported)
        {
            // One instruction looks up in 128 levels; the highest bit says in which half.
            ref var levels = ref MemoryMarshal.GetReference(table[..Levels]);
            ref var values = ref MemoryMarshal.GetReference(bytes);
            var (first, second) = (Vector512.LoadUnsafe(ref levels), Vector512.LoadUnsafe(ref levels, 64));
            var (third, fourth) = (Vector512.LoadUnsafe(ref levels, 128), Vector512.LoadUnsafe(ref levels, 192));
            for (; i <= bytes.Length - Vector512<byte>.Count; i += Vector512<byte>.Count)
            {
                var value = Vector512.LoadUnsafe(ref values, (nuint)i);
                var dark = Avx512Vbmi.PermuteVar64x8x2(first, value, second);
                var bright = Avx512Vbmi.PermuteVar64x8x2(third, value, fourth);
                var isBright = Vector512.LessThan(value.AsSByte(), Vector512<sbyte>.Zero).AsByte();
                Vector512.ConditionalSelect(isBright, bright, dark).StoreUnsafe(ref values, (nuint)i);
            }
        }

        for (; i < bytes.Length; i++)
        {
            bytes[i] = table[bytes[i]];
        }
    }
}
