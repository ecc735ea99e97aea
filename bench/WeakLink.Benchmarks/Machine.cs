using WeakLink.Models;
using WeakLink.Runtime;

namespace WeakLink.Benchmarks;

/// <summary>What a benchmark ran on: printed above every result.</summary>
internal static class Machine
{
    /// <summary>Number formats that the processor computes in: bfloat16 elsewhere takes a hundred times as long.</summary>
    public static IReadOnlyList<Precision> Precisions { get; } = EnvironmentReport.Create().NativeBf16 ? [Precision.Fp32, Precision.Bf16] : [Precision.Fp32];

    /// <summary>What the command does at its start.</summary>
    public static void Prepare()
    {
        Allocator.KeepLargeBlocks();
        ThreadWaiting.KeepBrief();
        LibtorchMessages.KeepQuiet();
    }

    public static string Describe()
    {
        var found = EnvironmentReport.Create();
        return $"{found.Processor}, {found.Cores} cores, {found.Simd}; {found.System}; .NET {found.Dotnet}, libtorch {found.Libtorch}, {found.Threads} threads";
    }
}
