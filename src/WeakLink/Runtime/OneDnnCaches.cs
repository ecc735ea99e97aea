using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace WeakLink.Runtime;

/// <summary>What a virtual machine does to libtorch's convolutions, and what was done about it.</summary>
public enum CacheRemedy
{
    /// <summary>The processor tells its caches: nothing to mend.</summary>
    NotNeeded,

    /// <summary>The processor hides its caches, and oneDNN was told sizes of them.</summary>
    Applied,

    /// <summary>The processor hides its caches, and oneDNN's belief was not found: another libtorch than the one known.</summary>
    NotFound,
}

/// <summary>
/// What oneDNN inside libtorch believes about the processor's caches. oneDNN 3.7.1 (in libtorch 2.10) reads the sizes from CPUID leaf 0x8000001D
/// on AMD processors; many virtual machines leave that leaf empty. It then believes in three levels of one byte each and blocks its reorders
/// for these, in a way that is wrong where channels are padded: convolutions give wrong numbers or NaN, or write where they must not. Mended
/// upstream in oneDNN 3.8. Here the sizes in its memory are written over, before any convolution but the one that makes it read them.
/// </summary>
internal static unsafe class OneDnnCaches
{
    // Xbyak 7.05 (xbyak_util.h), class Cpu: numCores_, dataCacheSize_[10], coresSharingDataCache_[10], dataCacheLevels_.
    private const int MostLevels = 10;
    private const int Levels = 3;
    private const int PatternLength = (2 * MostLevels) + 1;
    private const int KiB = 1024;

    /// <summary>Sizes of the three levels of data cache for one core, in bytes.</summary>
    public readonly record struct Sizes(uint First, uint Second, uint Third)
    {
        /// <summary>What oneDNN makes of an empty leaf.</summary>
        public static Sizes Empty { get; } = new(1, 1, 1);
    }

    /// <summary>Whether this processor is one that oneDNN misreads: an AMD processor whose leaf of caches is empty.</summary>
    public static bool AreHidden() => X86Base.IsSupported && AreHidden(X86Base.CpuId);

    /// <param name="cpuId">CPUID: leaf and subleaf to the four registers.</param>
    public static bool AreHidden(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId)
    {
        const int Caches = unchecked((int)0x8000001D);
        var (_, ebx, ecx, edx) = cpuId(0, 0);
        // "AuthenticAMD" and "HygonGenuine": oneDNN takes the same way for the licensed copies of the processor.
        var amd = (ebx, edx, ecx) is (0x68747541, 0x69746E65, 0x444D4163) or (0x6F677948, 0x6E65476E, 0x656E6975);
        // The low five bits: the kind of cache, 0 where there is none.
        return amd && ((uint)cpuId(unchecked((int)0x80000000), 0).Eax < unchecked((uint)Caches) || (cpuId(Caches, 0).Eax & 31) == 0);
    }

    /// <summary>
    /// What the older leaves 0x80000005 and 0x80000006 say for one core, each where it is believable; else sizes that every processor of the
    /// last ten years has.
    /// </summary>
    /// <param name="cpuId">CPUID: leaf and subleaf to the four registers.</param>
    /// <param name="cores">Cores that share the third level.</param>
    public static Sizes OfOlderLeaves(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId, int cores)
    {
        // AMD, "Architecture Programmer's Manual" volume 3, appendix E.4: KiB, KiB, and blocks of 512 KiB for the whole package.
        var known = (uint)cpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000006;
        var first = known ? (uint)cpuId(unchecked((int)0x80000005), 0).Ecx >> 24 : 0;
        var (_, _, second, third) = known ? cpuId(unchecked((int)0x80000006), 0) : default;
        var (secondKiB, thirdKiB) = ((uint)second >> 16, ((uint)third >> 18) * 512 / (uint)Math.Max(1, cores));
        return new Sizes(
            (first is >= 16 and <= 128 ? first : 32) * KiB,
            (secondKiB is >= 256 and <= 4096 ? secondKiB : 512) * KiB,
            // A virtual machine tells the package's size to a few of its cores: none has more than 4 MiB for itself (without stacked memory).
            (thirdKiB >= 512 ? Math.Min(thirdKiB, 4096) : 1024) * KiB);
    }

    /// <summary>Mends it where it is needed: see <see cref="Write"/>.</summary>
    public static CacheRemedy Mend() => !AreHidden() ? CacheRemedy.NotNeeded
        : Write(Sizes.Empty, OfOlderLeaves(X86Base.CpuId, Environment.ProcessorCount)) ? CacheRemedy.Applied
        : CacheRemedy.NotFound;

    /// <summary>Writes over what oneDNN believes.</summary>
    /// <param name="believed">What it believes now; null: whatever it is.</param>
    /// <param name="sizes">What it is to believe.</param>
    /// <returns>Whether that was found, once and only once, in the memory of libtorch itself.</returns>
    public static bool Write(Sizes? believed, Sizes sizes)
    {
        if (LoadedLibrary.Libtorch is not { } library || !Convolve(library.Path))
        {
            return false;
        }

        var found = Span<uint>.Empty;
        for (var segment = 0; segment < library.WritableSegments; segment++)
        {
            var words = library.WritableSegment(segment);
            for (var at = 0; at + PatternLength <= words.Length; at++)
            {
                var candidate = words.Slice(at, PatternLength);
                if (candidate[^1] == Levels && IsBelief(candidate) && (believed is null || believed == Read(candidate)))
                {
                    if (!found.IsEmpty)
                    {
                        return false;
                    }

                    found = candidate;
                }
            }
        }

        if (found.IsEmpty)
        {
            return false;
        }

        (found[0], found[1], found[2]) = (sizes.First, sizes.Second, sizes.Third);
        return true;
    }

    private static Sizes Read(ReadOnlySpan<uint> belief) => new(belief[0], belief[1], belief[2]);

    // Three sizes that do not shrink, seven zeros, three numbers of cores, seven zeros; then the number of levels.
    private static bool IsBelief(ReadOnlySpan<uint> words) =>
        words[0] is > 0 and <= 1 << 20 && words[1] >= words[0] && words[2] >= words[1]
        && words[MostLevels] is > 0 and <= 4096 && words[MostLevels + 1] is > 0 and <= 4096 && words[MostLevels + 2] is > 0 and <= 4096
        && !words[Levels..MostLevels].ContainsAnyExcept(0u) && !words[(MostLevels + Levels)..(2 * MostLevels)].ContainsAnyExcept(0u);

    // oneDNN reads the processor at its first primitive. The C interface of AOTInductor is the one that PyTorch keeps stable, and it is there
    // before TorchSharp can be called.
    private static bool Convolve(string path)
    {
        if (!NativeLibrary.TryLoad(path, out var torch)
            || !NativeLibrary.TryGetExport(torch, "aoti_torch_empty_strided", out var create)
            || !NativeLibrary.TryGetExport(torch, "aoti_torch_zero_", out var clear)
            || !NativeLibrary.TryGetExport(torch, "aoti_torch_cpu_convolution", out var convolve)
            || !NativeLibrary.TryGetExport(torch, "aoti_torch_delete_tensor_object", out var delete))
        {
            return false;
        }

        // 2×16×4×4: a whole number of vectors, which even a misled oneDNN computes right.
        const int Float32 = 6;
        var shape = stackalloc long[] { 2, 16, 4, 4 };
        var strides = stackalloc long[] { 256, 16, 4, 1 };
        var kernel = stackalloc long[] { 16, 16, 1, 1 };
        var kernelStrides = stackalloc long[] { 16, 1, 1, 1 };
        var one = stackalloc long[] { 1, 1 };
        var zero = stackalloc long[] { 0, 0 };
        nint images = 0, weights = 0, result = 0;
        var creating = (delegate* unmanaged[Cdecl]<long, long*, long*, int, int, int, nint*, int>)create;
        var clearing = (delegate* unmanaged[Cdecl]<nint, int>)clear;
        var convolving = (delegate* unmanaged[Cdecl]<nint, nint, nint*, long*, long, long*, long, long*, long, int, long*, long, long, nint*, int>)convolve;
        var failed = creating(4, shape, strides, Float32, 0, 0, &images) != 0
            || creating(4, kernel, kernelStrides, Float32, 0, 0, &weights) != 0
            || clearing(images) != 0
            || clearing(weights) != 0
            || convolving(images, weights, null, one, 2, zero, 2, one, 2, 0, zero, 2, 1, &result) != 0;
        foreach (var tensor in new[] { images, weights, result })
        {
            if (tensor != 0)
            {
                _ = ((delegate* unmanaged[Cdecl]<nint, int>)delete)(tensor);
            }
        }

        return !failed;
    }
}
