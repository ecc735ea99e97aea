using System.Runtime.InteropServices;

namespace WeakLink.Runtime;

/// <summary>
/// Switches of libtorch's global context (at::Context) that TorchSharp does not offer. Reached by the names that its compiler gave them; where another
/// libtorch has none such, nothing happens.
/// </summary>
internal static unsafe class LibtorchContext
{
    /// <summary>
    /// Whether single small images may go through NNPACK. libtorch tells at every such call when NNPACK doesn't like the processor; oneDNN and the plain
    /// way do the same work.
    /// </summary>
    public static bool UseNnpack(bool value) => Set("_ZN2at7Context20setUserEnabledNNPACKEb", value);

    /// <summary>Whether convolutions go through oneDNN, or through a matrix product: several times slower, and another code.</summary>
    public static bool UseOneDnn(bool value) => Set("_ZN2at7Context20setUserEnabledMkldnnEb", value);

    private static bool Set(string setter, bool value)
    {
        if (LoadedLibrary.Libtorch is not { } library
            || !NativeLibrary.TryLoad(library.Path, out var torch)
            || !NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out var context)
            || !NativeLibrary.TryGetExport(torch, setter, out var set))
        {
            return false;
        }

        ((delegate* unmanaged[Cdecl]<nint, byte, void>)set)(((delegate* unmanaged[Cdecl]<nint>)context)(), value ? (byte)1 : (byte)0);
        return true;
    }
}
