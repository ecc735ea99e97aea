using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace WeakLink.Runtime;

/// <summary>
/// What libtorch says of itself, and switches of its global context (at::Context), that TorchSharp does not offer. Reached by the names that its compiler gave them; where another
/// libtorch has none such, nothing happens.
/// </summary>
internal static unsafe partial class LibtorchContext
{
    /// <summary>
    /// Whether single small images may go through NNPACK. libtorch tells at every such call when NNPACK doesn't like the processor; oneDNN and the plain
    /// way do the same work.
    /// </summary>
    public static bool UseNnpack(bool value) => Set("_ZN2at7Context20setUserEnabledNNPACKEb", value);

    /// <summary>Whether convolutions go through oneDNN, or through a matrix product: several times slower, and another code.</summary>
    public static bool UseOneDnn(bool value) => Set("_ZN2at7Context20setUserEnabledMkldnnEb", value);

    /// <summary>The version of the libtorch that is loaded, such as 2.10.0; null where it does not say.</summary>
    /// <remarks>Of what at::show_config returns: a std::string of GCC's, which begins with its address and its length. It is not freed: a kilobyte, once.</remarks>
    public static string? Version()
    {
        if (Export("_ZN2at11show_configB5cxx11Ev") is not { } showConfig)
        {
            return null;
        }

        var text = stackalloc nint[4];
        ((delegate* unmanaged[Cdecl]<nint*, void>)showConfig)(text);
        return TorchVersion().Match(Encoding.UTF8.GetString((byte*)text[0], (int)text[1])) is { Success: true } found ? found.Groups[1].Value : null;
    }

    private static bool Set(string setter, bool value)
    {
        if (Export("_ZN2at13globalContextEv") is not { } context || Export(setter) is not { } set)
        {
            return false;
        }

        ((delegate* unmanaged[Cdecl]<nint, byte, void>)set)(((delegate* unmanaged[Cdecl]<nint>)context)(), value ? (byte)1 : (byte)0);
        return true;
    }

    private static nint? Export(string name) =>
        LoadedLibrary.Libtorch is { } library && NativeLibrary.TryLoad(library.Path, out var torch) && NativeLibrary.TryGetExport(torch, name, out var address) ? address : null;

    [GeneratedRegex(@"TORCH_VERSION=([^\s,]+)")]
    private static partial Regex TorchVersion();
}
