using SkiaSharp;

namespace WeakLink.Runtime;

/// <summary>Skia's native library: of a version of its own, in a package of its own, so that a program may have one that does not go with SkiaSharp.</summary>
internal static class SkiaLibrary
{
    private static readonly Lazy<string?> Fault = new(() => Explain(() => SkiaSharpVersion.CheckNativeLibraryCompatible(throwIfIncompatible: false), () => SkiaSharpVersion.Native));

    /// <summary>To be called before anything of Skia, which would tell of it in nested exceptions.</summary>
    /// <exception cref="InputException">It is missing, or of another version; the message says what to do.</exception>
    public static void Require()
    {
        if (Fault.Value is { } fault)
        {
            throw new InputException(fault);
        }
    }

    /// <summary>What is wrong, in one sentence; null: nothing.</summary>
    internal static string? Explain(Func<bool> compatible, Func<Version> native)
    {
        var needed = typeof(SKBitmap).Assembly.GetName().Version!.ToString(2);
        try
        {
            return compatible() ? null
                : $"The native library of SkiaSharp is of version {native()}, which does not go with SkiaSharp {needed}: give the package that brings it ({Package}) the version of SkiaSharp, or leave it out.";
        }
        catch (Exception exception) when (exception.GetBaseException() is DllNotFoundException)
        {
            return $"The native library of SkiaSharp {needed} can't be loaded: build for this platform, and add the package {Package} of the version of SkiaSharp.";
        }
    }

    private static string Package => OperatingSystem.IsWindows() ? "SkiaSharp.NativeAssets.Win32" : OperatingSystem.IsMacOS() ? "SkiaSharp.NativeAssets.macOS" : "SkiaSharp.NativeAssets.Linux.NoDependencies";
}
