using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using WeakLink.Processes;

namespace WeakLink.Tests.Processes;

/// <summary>What is handed to NCCL, with functions of this program in its place: processes are threads, and memory the processor's.</summary>
public unsafe class NcclTests
{
    private const int Ranked = 3;
    private const byte Mark = 42;
    private const int Broken = 5;

    private static readonly Barrier Meeting = new(Ranked);
    private static readonly nint[] Addresses = new nint[Ranked];
    private static int _destroyed;

    [Fact]
    public void Sums_AreOfWhatEachProcessHasThere()
    {
        _destroyed = 0;
        var sums = Ranks.Run(Ranked, processes =>
        {
            using var nccl = Nccl.Join(processes, Function)!;
            using var floats = torch.tensor((float[])[processes.Rank, 0.5f]);
            using var doubles = torch.tensor((double[])[processes.Rank, 0.25]);
            using var longs = torch.tensor((long[])[processes.Rank, 1L << 40]);
            nccl.Sum(floats);
            nccl.Sum(doubles);
            nccl.Sum(longs);
            return ((float[])[.. floats.data<float>()], (double[])[.. doubles.data<double>()], (long[])[.. longs.data<long>()]);
        });
        Assert.All(sums, its =>
        {
            Assert.Equal([3, 1.5f], its.Item1);
            Assert.Equal([3, 0.75], its.Item2);
            Assert.Equal([3, 3L << 40], its.Item3);
        });
        Assert.Equal(Ranked, _destroyed);
    }

    [Fact]
    public void WithoutALibrary_OrWhereItRefuses_ThereIsNone()
    {
        Assert.All(Ranks.Run(Ranked, processes => Nccl.Join(processes, processes.Rank == 1 ? null : Function)), Assert.Null);
        Assert.All(Ranks.Run(Ranked, processes => Nccl.Join(processes, name => name == "ncclCommInitRank" && processes.Rank == 2 ? Refusing : Function(name))), Assert.Null);
    }

    private static nint Refusing => (nint)(delegate* unmanaged[Cdecl]<nint*, int, Nccl.Identity, int, int>)&Refuse;

    private static nint Function(string name) => name switch
    {
        "ncclGetUniqueId" => (nint)(delegate* unmanaged[Cdecl]<Nccl.Identity*, int>)&Identify,
        "ncclCommInitRank" => (nint)(delegate* unmanaged[Cdecl]<nint*, int, Nccl.Identity, int, int>)&Begin,
        "ncclAllReduce" => (nint)(delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int>)&Sum,
        "ncclCommDestroy" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&End,
        _ => throw new EntryPointNotFoundException(name),
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Identify(Nccl.Identity* identity)
    {
        new Span<byte>(identity, sizeof(Nccl.Identity)).Fill(Mark);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Begin(nint* communicator, int size, Nccl.Identity identity, int rank)
    {
        *communicator = rank;
        var bytes = new Span<byte>(&identity, sizeof(Nccl.Identity));
        return size == Ranked && bytes.Length == 128 && !bytes.ContainsAnyExcept(Mark) ? 0 : Broken;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Refuse(nint* communicator, int size, Nccl.Identity identity, int rank) => Broken;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sum(nint from, nint to, nuint count, int type, int operation, nint communicator, nint stream)
    {
        if (from != to || operation != 0 || stream != 0)
        {
            return Broken;
        }

        Addresses[communicator] = from;
        Meeting.SignalAndWait();
        var sums = new double[count];
        foreach (var address in Addresses)
        {
            for (var i = 0; i < sums.Length; i++)
            {
                sums[i] += type switch { 7 => ((float*)address)[i], 8 => ((double*)address)[i], 4 => ((long*)address)[i], _ => double.NaN };
            }
        }

        Meeting.SignalAndWait();
        for (var i = 0; i < sums.Length; i++)
        {
            switch (type)
            {
                case 7:
                    ((float*)to)[i] = (float)sums[i];
                    break;
                case 8:
                    ((double*)to)[i] = sums[i];
                    break;
                default:
                    ((long*)to)[i] = (long)sums[i];
                    break;
            }
        }

        Meeting.SignalAndWait();
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int End(nint communicator)
    {
        Interlocked.Increment(ref _destroyed);
        return 0;
    }
}
