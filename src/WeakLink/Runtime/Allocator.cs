using System.Runtime.InteropServices;

namespace WeakLink.Runtime;

/// <summary>
/// Tells glibc's allocator to keep big blocks. By default it returns every block above 32 MiB to the system at once, and the next
/// step has it zeroed page by page again: a ResNet-18 step then spends almost half of its time in the kernel (measured: 179 ms
/// against 98 ms for one of its convolutions). For programs to call at their start; a library must not decide this for its host.
/// </summary>
public static partial class Allocator
{
    // malloc.h: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD.
    private const int TrimThreshold = -1;
    private const int MapThreshold = -3;

    /// <summary>Keeps freed blocks of up to 1 GiB in the process. Does nothing on other systems than Linux with glibc.</summary>
    public static void KeepLargeBlocks()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = Mallopt(MapThreshold, 1 << 30);
            _ = Mallopt(TrimThreshold, int.MaxValue);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // musl has no mallopt; its allocator stays as it is.
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int Mallopt(int parameter, int value);
}
