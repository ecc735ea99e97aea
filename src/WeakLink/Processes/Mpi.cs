using System.Runtime.InteropServices;
using System.Text;

namespace WeakLink.Processes;

/// <summary>
/// The few functions of MPI that WeakLink needs, of the library that is installed: Open MPI 4 and 5, MPICH 3.1 to 4 (and what keeps to its ABI: Intel MPI, MVAPICH), or the standard ABI of
/// MPI 5. They differ in what they call their communicators, types and operations, which the library's own version tells.
/// </summary>
internal sealed unsafe class Mpi : ICommunicator
{
    /// <summary>Names the library where it is not found, or not the right one.</summary>
    public const string Variable = "WEAKLINK_MPI";

    // Calls from one thread at a time, but not always the same: libtorch's backward passes have threads of their own on a GPU.
    private const int Serialized = 2;

    // The largest of any of them.
    private const int VersionBytes = 8192;

    private static readonly string[] OpenMpi = ["libmpi.so.40", "libmpi.40.dylib"];
    private static readonly string[] Mpich = ["libmpich.so.12", "libmpi.so.12", "libmpich.12.dylib", "libmpi.12.dylib"];
    private static readonly string[] Standard = ["libmpi_abi.so.0", "libmpi_abi.so", "libmpi_abi.0.dylib"];

    private readonly delegate* unmanaged[Cdecl]<nint, int> _barrier;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, int> _broadcast;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, int, nint, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int> _abort;
    private readonly delegate* unmanaged[Cdecl]<int> _finalize;
    private readonly Handles _handles;

    private Mpi(nint library, Handles handles)
    {
        _handles = handles;
        _barrier = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "MPI_Barrier");
        _broadcast = (delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, int>)NativeLibrary.GetExport(library, "MPI_Bcast");
        _allReduce = (delegate* unmanaged[Cdecl]<nint, void*, int, nint, nint, nint, int>)NativeLibrary.GetExport(library, "MPI_Allreduce");
        _abort = (delegate* unmanaged[Cdecl]<nint, int, int>)NativeLibrary.GetExport(library, "MPI_Abort");
        _finalize = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "MPI_Finalize");
        int provided, rank, size;
        Require(((delegate* unmanaged[Cdecl]<nint, nint, int, int*, int>)NativeLibrary.GetExport(library, "MPI_Init_thread"))(0, 0, Serialized, &provided), "MPI_Init_thread");
        Require(((delegate* unmanaged[Cdecl]<nint, int*, int>)NativeLibrary.GetExport(library, "MPI_Comm_rank"))(handles.World, &rank), "MPI_Comm_rank");
        Require(((delegate* unmanaged[Cdecl]<nint, int*, int>)NativeLibrary.GetExport(library, "MPI_Comm_size"))(handles.World, &size), "MPI_Comm_size");
        (Rank, Size) = (rank, size);
    }

    public int Rank { get; }

    public int Size { get; }

    /// <summary>Loads the library and joins the processes of a launch.</summary>
    /// <exception cref="InputException">There is no library, or it is not that of the launcher.</exception>
    public static Mpi Join(Launch launch)
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        string[] names = named is { Length: > 0 } ? [named] : launch.IsOpenMpi ? [.. OpenMpi, .. Standard, .. Mpich] : [.. Mpich, .. Standard, .. OpenMpi];
        var library = (nint)0;
        if (Array.Find(names, name => NativeLibrary.TryLoad(name, out library)) is not { } found)
        {
            throw new InputException(
                $"{Process(launch)} ({launch.Variable}), but there is no MPI library on this machine by which they could work together (looked for {string.Join(", ", names.Where(name => !name.EndsWith(".dylib", StringComparison.Ordinal)))}): install the runtime of Open MPI or MPICH that the launcher belongs to, or name its library in {Variable}.");
        }

        Mpi mpi;
        try
        {
            var isStandard = Standard.Contains(Path.GetFileName(found));
            var version = Version(library);
            mpi = new Mpi(library, isStandard ? Handles.Standard : version.StartsWith("Open MPI", StringComparison.Ordinal) ? Handles.OpenMpi(library) : Handles.Mpich);
        }
        catch (EntryPointNotFoundException exception)
        {
            throw new InputException($"'{found}' is no MPI library: name one in {Variable}.", exception);
        }

        // Each would be the first of one, and write what the others write.
        return launch.Size is null || mpi.Size == launch.Size ? mpi : throw new InputException(
            $"{Process(launch)} ({launch.Variable}), but for '{found}' there {(mpi.Size == 1 ? "is 1" : $"are {mpi.Size}")}: it is not the MPI of the launcher; start with the other's mpirun, or name the launcher's library in {Variable}.");
    }

    public void Barrier() => Require(_barrier(_handles.World), "MPI_Barrier");

    public void Broadcast(Span<byte> values, int root)
    {
        fixed (byte* first = values)
        {
            Require(_broadcast(first, values.Length, _handles.Byte, root, _handles.World), "MPI_Bcast");
        }
    }

    public void Sum(Span<float> values) => Sum(values, _handles.Float);

    public void Sum(Span<double> values) => Sum(values, _handles.Double);

    public void Sum(Span<long> values) => Sum(values, _handles.Int64);

    public void Abort(int code) => _ = _abort(_handles.World, code);

    public void End() => _ = _finalize();

    private void Sum<T>(Span<T> values, nint type)
        where T : unmanaged
    {
        fixed (T* first = values)
        {
            Require(_allReduce(_handles.InPlace, first, values.Length, type, _handles.Sum, _handles.World), "MPI_Allreduce");
        }
    }

    private static string Process(Launch launch) => launch.Size is null ? $"This is process {launch.Rank} of several" : $"This is process {launch.Rank} of {launch.Size}";

    // Allowed before MPI_Init.
    private static string Version(nint library)
    {
        var text = stackalloc byte[VersionBytes];
        int length;
        Require(((delegate* unmanaged[Cdecl]<byte*, int*, int>)NativeLibrary.GetExport(library, "MPI_Get_library_version"))(text, &length), "MPI_Get_library_version");
        return Encoding.UTF8.GetString(text, Math.Min(length, VersionBytes));
    }

    // By default an MPI ends the whole launch itself where a process is gone.
    private static void Require(int code, string function)
    {
        if (code != 0)
        {
            throw new InputException($"The processes could not work together any more ({function} gave {code}): look at what the others said; the run can be resumed.");
        }
    }

    /// <summary>What an MPI calls its predefined objects; MPICH's are 32 bits.</summary>
    private sealed record Handles(nint World, nint Byte, nint Float, nint Double, nint Int64, nint Sum, nint InPlace)
    {
        // mpi.h of MPICH 3.1 to 4.
        public static Handles Mpich { get; } = new(0x44000000, 0x4c00010d, 0x4c00040a, 0x4c00080b, 0x4c00083a, 0x58000003, -1);

        // MPI 5.0, section 20.
        public static Handles Standard { get; } = new(0x101, 0x247, 0x210, 0x214, 0x258, 0x21, 1);

        public static Handles OpenMpi(nint library) => new(
            NativeLibrary.GetExport(library, "ompi_mpi_comm_world"),
            NativeLibrary.GetExport(library, "ompi_mpi_byte"),
            NativeLibrary.GetExport(library, "ompi_mpi_float"),
            NativeLibrary.GetExport(library, "ompi_mpi_double"),
            NativeLibrary.GetExport(library, "ompi_mpi_int64_t"),
            NativeLibrary.GetExport(library, "ompi_mpi_op_sum"),
            1);
    }
}
