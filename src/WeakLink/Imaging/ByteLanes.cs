using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WeakLink.Imaging;

/// <summary>Sixteen bytes as sixteen numbers of one vector; at the end of a span, as many as are left.</summary>
internal static class ByteLanes
{
    /// <summary>Bytes in a vector.</summary>
    public const int Count = 16;

    /// <summary>Bytes from a place on; lanes beyond the end are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(ReadOnlySpan<byte> bytes, int at)
    {
        var lanes = bytes.Length - at >= Count ? Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(bytes), (nuint)at) : LoadRest(bytes[at..]);
        return Vector512.WidenLower(Vector512.WidenLower(lanes.ToVector256Unsafe().ToVector512Unsafe())).AsInt32();
    }

    /// <summary>Writes numbers, each in 0 ... 255, as bytes; lanes beyond the end are left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> lanes, Span<byte> bytes, int at)
    {
        var shorts = Vector256.Narrow(lanes.GetLower().AsUInt32(), lanes.GetUpper().AsUInt32());
        var narrow = Vector128.Narrow(shorts.GetLower(), shorts.GetUpper());
        if (bytes.Length - at >= Count)
        {
            narrow.StoreUnsafe(ref MemoryMarshal.GetReference(bytes), (nuint)at);
        }
        else
        {
            StoreRest(narrow, bytes[at..]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<byte> LoadRest(ReadOnlySpan<byte> rest)
    {
        Span<byte> whole = stackalloc byte[Count];
        whole.Clear();
        rest.CopyTo(whole);
        return Vector128.Create<byte>(whole);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreRest(Vector128<byte> lanes, Span<byte> rest)
    {
        Span<byte> whole = stackalloc byte[Count];
        lanes.CopyTo(whole);
        whole[..rest.Length].CopyTo(rest);
    }
}
