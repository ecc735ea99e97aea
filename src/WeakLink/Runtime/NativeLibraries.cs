using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>
/// Finds libtorch. Nothing happens where the packages load as they are; where the system's libstdc++ is older than the one that
/// libLibTorchSharp.so was built with, a rewritten private copy is loaded from the cache folder (see <see cref="OlderLibstdcxx"/>).
/// <c>WEAKLINK_LIBTORCH=DIR</c> takes libtorch from another folder, such as <c>torch/lib</c> of an installed PyTorch.
/// </summary>
public static class NativeLibraries
{
    /// <summary>The environment variable that names a folder with libtorch.</summary>
    public const string LibtorchVariable = "WEAKLINK_LIBTORCH";

    private const string FileName = "libLibTorchSharp.so";

    // TorchSharp.
    private const string BuiltFor = "2.10.0";

    // libLibTorchSharp.so crashes when the loader meets its dependencies in another order. The CUDA ones may be absent.
    private static readonly string[] Dependencies = ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"];

    private static readonly Lock Gate = new();
    private static nint _import;
    private static nint _privateCopy;
    private static string? _version;

    /// <summary>Path of the private copy in use; null on the plain path.</summary>
    public static string? PrivateCopy { get; private set; }

    /// <summary>What was done about a processor that hides its caches; null before libtorch is loaded.</summary>
    public static CacheRemedy? CacheRemedy { get; private set; }

    /// <summary>Loads libtorch, so that a failure is told in WeakLink's words, once, and early.</summary>
    /// <exception cref="InputException">It can't be loaded; the message says what is missing and what to do.</exception>
    public static void Load()
    {
        // TorchSharp would look for packages to copy, and tell of it at length.
        if (Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } folder && !File.Exists(Path.Combine(folder, "libtorch.so")) && OperatingSystem.IsLinux())
        {
            throw new InputException($"{LibtorchVariable} names '{folder}', which holds no libtorch.so: give the lib folder of a libtorch 2.10 or 2.11 (of an installed PyTorch: torch/lib), or unset it.");
        }

        try
        {
            _ = torch.TryInitializeDeviceType(DeviceType.CPU) ? true : throw new DllNotFoundException("libtorch refused to start");
            using var probe = torch.zeros(1);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new InputException(Explain(exception), exception);
        }
    }

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Whoever uses the library must be able to call TorchSharp at once, on any system: there is no later moment that comes before all of it.")]
    internal static void Register()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } folder)
        {
            // Loaded first, these are the ones that libLibTorchSharp.so gets, whatever lies beside it. A failure is told by Load.
            _ = LoadDependencies(folder);
        }

        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => IsTorchSharp(name) ? LoadPrivateCopy() : 0;
        if (LoadedLibrary.Libtorch is not null)
        {
            // A program that has called TorchSharp before anything of WeakLink.
            Prepare();
            return;
        }

        try
        {
            NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, Import);
        }
        catch (InvalidOperationException)
        {
            // The program resolves TorchSharp's library itself: there is no later moment that comes before all of it.
            LoadNow();
        }
    }

    private static void LoadNow()
    {
        try
        {
            Load();
            Prepare();
        }
        catch (InputException)
        {
            // Told when somebody needs it.
        }
    }

    // Called before TorchSharp's first call into its native library, and nothing of libtorch is called in another way.
    private static nint Import(string name, Assembly assembly, DllImportSearchPath? folders)
    {
        if (!IsTorchSharp(name))
        {
            return 0;
        }

        lock (Gate)
        {
            if (_import == 0 && NativeLibrary.TryLoad(name, assembly, folders, out _import))
            {
                Prepare();
            }

            return _import;
        }
    }

    private static bool IsTorchSharp(string name) => name is "LibTorchSharp" or FileName;

    private static void Prepare()
    {
        _ = LibtorchContext.UseNnpack(false);
        CacheRemedy = OneDnnCaches.Mend();
    }

    // Called only where the normal search has failed.
    private static nint LoadPrivateCopy()
    {
        lock (Gate)
        {
            return _privateCopy != 0 ? _privateCopy : _privateCopy = RewriteAndLoad();
        }
    }

    private static nint RewriteAndLoad()
    {
        if (OriginalPath() is not { } original || LibstdcxxPath() is not { } libstdcxx)
        {
            return 0;
        }

        try
        {
            var file = File.ReadAllBytes(original);
            var offered = new ElfLibrary(File.ReadAllBytes(libstdcxx)).Offers();
            if (OlderLibstdcxx.Decide(new ElfLibrary(file), offered).Path != LoadPath.PrivateCopy || !LoadDependencies(LibtorchFolder(original)))
            {
                return 0;
            }

            var copy = Keep(OlderLibstdcxx.Rewrite(file, offered));
            var loaded = NativeLibrary.TryLoad(copy, out var handle);
            PrivateCopy = loaded ? copy : null;
            if (!copy.StartsWith(CacheFolder.Default, StringComparison.Ordinal))
            {
                // A loaded library needs its file no longer; nobody else would remove it.
                Directory.Delete(Path.GetDirectoryName(copy)!, recursive: true);
            }

            return handle;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return 0;
        }
    }

    /// <summary>Puts the private copy where it stays between runs; where that can't be written to, into a folder of this process.</summary>
    internal static string Keep(byte[] library, string? cacheFolder = null)
    {
        var name = $"LibTorchSharp-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(library))[..16]}.so";
        var path = Path.Combine(cacheFolder ?? CacheFolder.Default, "native", name);
        try
        {
            // The bytes are compared, not only the name: what is loaded is what was written here.
            if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(library))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                AtomicFile.Write(path, stream => stream.Write(library));
            }
        }
        catch (Exception exception) when (exception is InputException or IOException or UnauthorizedAccessException)
        {
            path = Path.Combine(Directory.CreateTempSubdirectory("weaklink-").FullName, name);
            File.WriteAllBytes(path, library);
        }

        return path;
    }

    private static bool LoadDependencies(string folder)
    {
        var complete = true;
        foreach (var path in Dependencies.Select(name => Path.Combine(folder, name)))
        {
            complete &= File.Exists(path) ? NativeLibrary.TryLoad(path, out _) : path.Contains("cuda", StringComparison.Ordinal);
        }

        return complete;
    }

    private static string LibtorchFolder(string original) =>
        Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } folder ? folder : Path.GetDirectoryName(original)!;

    /// <summary>Where the package's own libLibTorchSharp.so lies; null where it is nowhere.</summary>
    internal static string? OriginalPath() =>
        new[] { AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native") }
            .Concat((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            .Select(folder => Path.Combine(folder, FileName))
            .FirstOrDefault(File.Exists);

    /// <summary>The libstdc++ of this process: .NET itself needs one.</summary>
    internal static string? LibstdcxxPath()
    {
        _ = NativeLibrary.TryLoad("libstdc++.so.6", out _);
        return File.ReadLines("/proc/self/maps").Where(line => line.Contains("/libstdc++.so", StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).FirstOrDefault(File.Exists);
    }

    private static string Explain(Exception exception)
    {
        const string Backend = "add the package TorchSharp-cpu of the version of TorchSharp to the program";
        if (Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } folder)
        {
            return Dependencies.Where(name => !name.Contains("cuda", StringComparison.Ordinal)).FirstOrDefault(name => !File.Exists(Path.Combine(folder, name))) is { } absent
                ? $"{LibtorchVariable} names '{folder}', which has no {absent}: give the folder that holds libtorch's libraries, such as torch/lib of a PyTorch installation, or unset it."
                : $"The libtorch in '{folder}' ({LibtorchVariable}) can't be loaded ({Reason(exception)}): this TorchSharp was built for version {BuiltFor}; 2.11 was tried, too.";
        }

        if (!OperatingSystem.IsLinux())
        {
            return $"libtorch can't be loaded ({Reason(exception)}): {Backend}, and on Windows install the Visual C++ redistributable.";
        }

        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return $"TorchSharp has no native library for Linux on {RuntimeInformation.ProcessArchitecture}: use a machine with an x64 processor.";
        }

        if (OriginalPath() is not { } original)
        {
            return $"{FileName} is not beside the program ({AppContext.BaseDirectory}): build for this platform with UseCurrentRuntimeIdentifier or -r linux-x64.";
        }

        if (!File.Exists(Path.Combine(Path.GetDirectoryName(original)!, "libtorch_cpu.so")))
        {
            return $"There is no libtorch beside {original}: {Backend}, or set {LibtorchVariable} to a folder that holds one.";
        }

        if (LibstdcxxPath() is { } libstdcxx)
        {
            var (path, missing) = OlderLibstdcxx.Decide(new ElfLibrary(File.ReadAllBytes(original)), new ElfLibrary(File.ReadAllBytes(libstdcxx)).Offers());
            if (path == LoadPath.Impossible)
            {
                return $"This system's C++ library ({libstdcxx}) is too old for libtorch: it lacks {string.Join(" and ", missing)}. Use a newer system (libstdc++ of GCC 12 or later, such as Debian 12 or Ubuntu 22.04), or put a newer libstdc++.so.6 on LD_LIBRARY_PATH.";
            }
        }

        return $"libtorch can't be loaded: {Reason(exception)}. Compare 'ldd {original}' with what the system has installed.";
    }

    /// <summary>The version of the libtorch that is loaded: with <see cref="LibtorchVariable"/> it may be another than TorchSharp was built for.</summary>
    internal static string LibtorchVersion => (_version ??= LibtorchContext.Version()) ?? (Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } ? "of an unknown version" : BuiltFor);

    private static string Reason(Exception exception)
    {
        // TorchSharp's own message names packages that are not the problem; the loader's, asked directly, names what is missing.
        try
        {
            if (OriginalPath() is { } original)
            {
                NativeLibrary.Load(original);
            }
        }
        catch (DllNotFoundException loader)
        {
            return loader.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault(line => line.Contains(".so", StringComparison.Ordinal)) ?? loader.Message;
        }

        return exception.GetBaseException().Message.Split('\n')[0].TrimEnd('.');
    }
}
