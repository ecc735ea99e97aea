using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>What WeakLink runs on: what every run folder keeps.</summary>
/// <param name="WeakLink">Version of WeakLink.</param>
/// <param name="Dotnet">Version of .NET.</param>
/// <param name="System">Operating system.</param>
/// <param name="Processor">Name of the processor.</param>
/// <param name="Cores">Logical cores that this process may use.</param>
/// <param name="Simd">The widest instructions for numbers, such as "AVX512-BF16".</param>
/// <param name="NativeBf16">Whether the processor computes in bfloat16.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Device">Where networks run: cpu or cuda.</param>
/// <param name="Threads">Threads of libtorch.</param>
/// <param name="PrivateCopy">Path of the rewritten libLibTorchSharp.so; null where the system takes the package's own.</param>
public sealed record EnvironmentReport(
    string WeakLink, string Dotnet, string System, string Processor, int Cores, string Simd, bool NativeBf16, string Libtorch, string Device, int Threads, string? PrivateCopy)
{
    /// <summary>Looks.</summary>
    /// <exception cref="InputException">libtorch can't be loaded.</exception>
    public static EnvironmentReport Create()
    {
        NativeLibraries.Load();
        var (simd, bf16) = Instructions();
        return new EnvironmentReport(
            typeof(EnvironmentReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0],
            Environment.Version.ToString(),
            RuntimeInformation.OSDescription.Trim(),
            ProcessorName(),
            Environment.ProcessorCount,
            simd,
            bf16,
            NativeLibraries.LibtorchVersion,
            TrainingDevice.type.ToString().ToLowerInvariant(),
            torch.get_num_threads(),
            NativeLibraries.PrivateCopy);
    }

    /// <summary>The device to train on: a GPU where there is one, else the processor.</summary>
    public static torch.Device TrainingDevice => torch.cuda.is_available() ? torch.CUDA : torch.CPU;

    // .NET reports no bf16 support of the processor, Linux does.
    private static (string Simd, bool NativeBf16) Instructions()
    {
        var flags = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ').ToHashSet(StringComparer.Ordinal) ?? []
            : [];
        var simd = flags.Contains("amx_bf16") ? "AMX-BF16"
            : flags.Contains("avx512_bf16") ? "AVX512-BF16"
            : Avx512F.IsSupported ? "AVX512"
            : Avx2.IsSupported ? "AVX2"
            : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "NEON" : "SSE";
        return (simd, simd.EndsWith("BF16", StringComparison.Ordinal));
    }

    private static string ProcessorName() => (File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")) ?? RuntimeInformation.ProcessArchitecture.ToString();
}
