using System.Runtime.InteropServices;
using TorchSharp;

namespace WeakLink.Processes;

/// <summary>
/// Sums over GPUs, each of which belongs to another process, from memory to memory by the libnccl that is installed (nccl.h of NCCL 2). Not tried with GPUs, for want of them: what it calls
/// and hands over is tested against functions that stand in for the library's.
/// </summary>
internal sealed unsafe partial class Nccl : IDisposable
{
    // Found as the system finds libraries: LD_LIBRARY_PATH names the folder of one that came with something else.
    private const string Library = "libnccl.so.2";

    // ncclRedOp_t.
    private const int SumOperation = 0;

    private readonly delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _destroy;
    private readonly nint _communicator;

    private Nccl(Func<string, nint> function, nint communicator)
    {
        _communicator = communicator;
        _allReduce = (delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int>)function("ncclAllReduce");
        _destroy = (delegate* unmanaged[Cdecl]<nint, int>)function("ncclCommDestroy");
    }

    /// <summary>Joins the GPUs of all processes, which all must ask for; the current one is this process's.</summary>
    /// <param name="processes">They tell one another by other ways what the library calls this group.</param>
    /// <returns>Null where a process has no such library, or none by which they can work together: two of them on one GPU, or machines that don't reach each other so.</returns>
    public static Nccl? Join(ProcessGroup processes) => Join(processes, NativeLibrary.TryLoad(Library, out var library) ? name => NativeLibrary.GetExport(library, name) : null);

    /// <summary>The same by functions of these names; null: there are none.</summary>
    internal static Nccl? Join(ProcessGroup processes, Func<string, nint>? function)
    {
        if (processes.Any(function is null))
        {
            return null;
        }

        Identity identity = default;
        var code = processes.Leads ? ((delegate* unmanaged[Cdecl]<Identity*, int>)function!("ncclGetUniqueId"))(&identity) : 0;
        if (processes.Any(code != 0))
        {
            return null;
        }

        processes.Broadcast(new Span<byte>(&identity, sizeof(Identity)));
        nint communicator;
        code = ((delegate* unmanaged[Cdecl]<nint*, int, Identity, int, int>)function!("ncclCommInitRank"))(&communicator, processes.Size, identity, processes.Rank);
        var joined = code == 0 ? new Nccl(function, communicator) : null;
        if (processes.Any(joined is null))
        {
            joined?.Dispose();
            return null;
        }

        return joined;
    }

    /// <summary>The sum over all processes, in place.</summary>
    /// <param name="values">Contiguous, on this process's GPU; float32, float64 or int64.</param>
    /// <exception cref="InputException">The library could not.</exception>
    public void Sum(torch.Tensor values)
    {
        // ncclDataType_t.
        var type = values.dtype switch { torch.ScalarType.Float32 => 7, torch.ScalarType.Float64 => 8, _ => 4 };
        var address = Address(values.Handle);
        // Stream 0, on which libtorch computes where nobody chose another: what comes after waits for the sum.
        if (_allReduce(address, address, (nuint)values.numel(), type, SumOperation, _communicator, 0) is var code and not 0)
        {
            throw new InputException($"The GPUs of the processes could not work together any more (ncclAllReduce gave {code}): look at what the others said, and with NCCL_DEBUG=WARN at what NCCL says; the run can be resumed.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = _destroy(_communicator);

    // TorchSharp itself gives addresses of the processor's memory alone.
    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Address(nint tensor);

    /// <summary>ncclUniqueId, which is handed over as a value.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct Identity;
}
