using System.Diagnostics.CodeAnalysis;
using WeakLink.Benchmarks;

/// <summary>
/// Makes any program of WeakLink run as if on a machine that hides its caches, and WeakLink had mended that (docs/arithmetic.md): .NET calls this before the program where the environment's
/// DOTNET_STARTUP_HOOKS names this assembly.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = "The runtime looks for a class of this name in no namespace.")]
internal static class StartupHook
{
    /// <summary>Does nothing in programs without WeakLink, such as the compiler.</summary>
    public static void Initialize()
    {
        if (File.Exists(Path.Combine(AppContext.BaseDirectory, "WeakLink.dll")))
        {
            Pretend();
        }
    }

    // By itself: what it uses is not there in other programs.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Pretend() => ArithmeticBenchmark.Pretend(mended: true);
}
