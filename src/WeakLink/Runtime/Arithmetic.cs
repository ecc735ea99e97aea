using System.Collections.Concurrent;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;
using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>What the check of the arithmetic said.</summary>
/// <param name="Verdict">right, right without oneDNN, or unchecked where no layer ran on the processor.</param>
/// <param name="Layers">How many layers (shapes, number formats and layouts) ran and were found right, in this process or before it on this machine.</param>
/// <param name="Caches">What was done about a processor that hides its caches; null where it does not.</param>
/// <param name="Problem">What came out wrong with oneDNN; null: nothing.</param>
public sealed record ArithmeticReport(string Verdict, int Layers, string? Caches, string? Problem);

/// <summary>
/// Whether libtorch computes right on this processor. Every layer of a network asks before it runs for the first time: its very shape, number format and
/// layout are computed on random numbers, forward and backward, and compared with float64 (see <see cref="LayerCheck"/>). What came out right is remembered
/// in the cache folder, for this processor and this libtorch. Where something is wrong, oneDNN is left out, a slower way; where that is
/// wrong too, nothing is computed. Networks on other devices than the processor are not checked.
/// </summary>
public static class Arithmetic
{
    private static readonly Lock Gate = new();
    private static readonly ConcurrentDictionary<LayerShape, bool> Right = new();
    private static HashSet<string>? _remembered;

    /// <summary>Why oneDNN is left out; null: it is not.</summary>
    public static string? WithoutOneDnn { get; private set; }

    /// <summary>What is known now of the layers that ran in this process.</summary>
    public static ArithmeticReport Report => new(
        Right.IsEmpty ? "unchecked" : WithoutOneDnn is null ? "right" : "right without oneDNN",
        Right.Count,
        NativeLibraries.CacheRemedy switch
        {
            CacheRemedy.Applied => "hidden, told to oneDNN",
            CacheRemedy.NotFound => "hidden, and oneDNN could not be told",
            _ => null,
        },
        WithoutOneDnn);

    /// <summary>The layers that were found right.</summary>
    internal static IReadOnlyCollection<LayerShape> RightLayers => [.. Right.Keys];

    /// <summary>Told once, in one sentence, when oneDNN is left out.</summary>
    public static event Action<string>? Said;

    /// <summary>Makes sure that a layer is computed right.</summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="InputException">It is not, in any way that there is.</exception>
    internal static void Ensure(LayerShape layer)
    {
        if (Right.ContainsKey(layer))
        {
            return;
        }

        lock (Gate)
        {
            if (!Right.ContainsKey(layer) && !IsRemembered(layer))
            {
                Check(layer);
            }

            Right[layer] = true;
        }
    }

    private static void Check(LayerShape layer)
    {
        if (LayerCheck.Wrong(layer) is not { } wrong)
        {
            if (WithoutOneDnn is null)
            {
                Remember(layer);
            }

            return;
        }

        var what = $"libtorch computes wrong numbers on this processor ({layer.ToString().TrimEnd(';')}: {wrong})";
        var again = WithoutOneDnn is null && LibtorchContext.UseOneDnn(false) ? LayerCheck.Wrong(layer) : wrong;
        if (again is not null)
        {
            throw new InputException($"{what}, and in no other way right: use another machine, or another libtorch ({NativeLibraries.LibtorchVariable}).");
        }

        // What was right with oneDNN is another routine now.
        Right.Clear();
        WithoutOneDnn = what;
        Said?.Invoke($"{what}: it goes on without oneDNN, which is right and several times slower.");
    }

    private static bool IsRemembered(LayerShape layer)
    {
        if (_remembered is null)
        {
            try
            {
                _remembered = File.Exists(RememberedFile) ? [.. File.ReadLines(RememberedFile)] : [];
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _remembered = [];
            }
        }

        return WithoutOneDnn is null && _remembered.Contains(layer.ToString());
    }

    private static void Remember(LayerShape layer)
    {
        try
        {
            // A line at a time, at the end: two processes may write, and half a line is no layer.
            Directory.CreateDirectory(Path.GetDirectoryName(RememberedFile)!);
            File.AppendAllText(RememberedFile, $"{layer}\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is checked again next time.
        }
    }

    private static string RememberedFile => Path.Combine(CacheFolder.Default, "arithmetic", $"{Machine.Value}.txt");

    // Everything that decides which of libtorch's routines run, and how hard they were looked at: processor, its caches as oneDNN knows them, libtorch, threads, oneDNN's own variables.
    private static readonly Lazy<string> Machine = new(() =>
    {
        var parts = new List<string> { NativeLibraries.LibtorchVersion, torch.get_num_threads().ToString(System.Globalization.CultureInfo.InvariantCulture), NativeLibraries.CacheRemedy.ToString() ?? "", $"{LayerCheck.Tries} tries" };
        if (LoadedLibrary.Libtorch is { } library)
        {
            parts.Add($"{new FileInfo(library.Path).Length}");
        }

        if (X86Base.IsSupported)
        {
            // CPUID: vendor, model, features, caches. Of leaf 1 without the number of the core that happens to run this.
            parts.Add($"{X86Base.CpuId(0, 0)} {X86Base.CpuId(1, 0).Eax:x} {X86Base.CpuId(1, 0).Ecx:x} {X86Base.CpuId(7, 0)} {X86Base.CpuId(7, 1).Eax:x} {X86Base.CpuId(unchecked((int)0x8000001D), 0)} {X86Base.CpuId(4, 2).Ebx:x}");
        }

        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && (name.StartsWith("ONEDNN_", StringComparison.Ordinal) || name.StartsWith("DNNL_", StringComparison.Ordinal) || name.StartsWith("MKL_", StringComparison.Ordinal)))
            {
                parts.Add($"{name}={variable.Value}");
            }
        }

        parts.Sort(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..16];
    });
}
