using WeakLink.Runtime;

namespace WeakLink.Benchmarks;

/// <summary>What a benchmark ran on: printed above every result.</summary>
internal static class Machine
{
    public static string Describe()
    {
        Allocator.KeepLargeBlocks();
        ThreadWaiting.KeepBrief();
        var found = EnvironmentReport.Create();
        return $"{found.Processor}, {found.Cores} cores, {found.Simd}; {found.System}; .NET {found.Dotnet}, libtorch {found.Libtorch}, {found.Threads} threads";
    }
}
