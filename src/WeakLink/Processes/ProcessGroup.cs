using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Processes;

/// <summary>
/// The processes that a launcher (mpirun, srun) started together, as one of them sees them: each knows its rank, and what one says here all must say, in the same order. A process that was
/// started alone is a group of one, for which nothing is loaded and nothing done. One thread at a time.
/// </summary>
public sealed class ProcessGroup : IDisposable
{
    private readonly ICommunicator? _others;
    private readonly Lazy<Nccl?> _gpus;

    internal ProcessGroup(ICommunicator? others)
    {
        _others = others;
        _gpus = new(() => Nccl.Join(this));
        (Rank, Size) = others is null ? (0, 1) : (others.Rank, others.Size);
        Cores = Environment.ProcessorCount;
        LocalSize = 1;
        if (others is not null)
        {
            RequireSums();
            var hosts = new long[2 * Size];
            (hosts[2 * Rank], hosts[(2 * Rank) + 1]) = (Hash(Environment.MachineName), Hash(AllowedCores()));
            Sum(hosts);
            // Those on this machine, and those of them that were not given cores of their own.
            var here = Enumerable.Range(0, Size).Where(rank => hosts[2 * rank] == hosts[2 * Rank]).ToList();
            (LocalRank, LocalSize) = (here.IndexOf(Rank), here.Count);
            Cores = Math.Max(1, Cores / here.Count(rank => hosts[(2 * rank) + 1] == hosts[(2 * Rank) + 1]));
        }
    }

    /// <summary>A process by itself.</summary>
    public static ProcessGroup Alone { get; } = new(null);

    /// <summary>The number of this process, from 0.</summary>
    public int Rank { get; }

    /// <summary>How many processes there are.</summary>
    public int Size { get; }

    /// <summary>The number of this process among those on its machine, from 0.</summary>
    public int LocalRank { get; }

    /// <summary>How many of the processes are on this machine.</summary>
    public int LocalSize { get; }

    /// <summary>Cores that this process may keep busy: those that it may run on, divided among the processes that may run on the same.</summary>
    public int Cores { get; }

    /// <summary>Whether this is the process that speaks for all: it writes and tells.</summary>
    public bool Leads => Rank == 0;

    /// <summary>Joins the processes of the launch that this one belongs to, once in its life; <see cref="Alone"/> where it was started alone.</summary>
    /// <exception cref="InputException">It was not, but there is no MPI on this machine, or not the launcher's.</exception>
    public static ProcessGroup Join() => Launch.Of(Environment.GetEnvironmentVariable) is not { } launch ? Alone
        : Mpi.Join(launch) is { Size: > 1 } mpi ? new ProcessGroup(mpi) : Alone;

    /// <summary>
    /// Leaves libtorch the cores and the GPU that are this process's: of the machine's GPUs that of its local rank. For programs, at their start, before anything of libtorch; it does nothing
    /// alone, on other systems than Linux, or where the user has decided (OMP_NUM_THREADS, a single one in CUDA_VISIBLE_DEVICES).
    /// </summary>
    public void TakeShare()
    {
        if (Size == 1)
        {
            return;
        }

        NativeEnvironment.SetDefault("OMP_NUM_THREADS", Cores.ToString(CultureInfo.InvariantCulture));
        const string Visible = "CUDA_VISIBLE_DEVICES";
        var gpus = Environment.GetEnvironmentVariable(Visible)?.Split(',', StringSplitOptions.RemoveEmptyEntries)
            ?? [.. Enumerable.Range(0, LocalSize).TakeWhile(gpu => File.Exists($"/dev/nvidia{gpu}")).Select(gpu => gpu.ToString(CultureInfo.InvariantCulture))];
        if (gpus.Length > 1)
        {
            NativeEnvironment.Set(Visible, gpus[LocalRank % gpus.Length]);
        }
    }

    /// <summary>Waits until all are here.</summary>
    public void Barrier() => _others?.Barrier();

    /// <summary>Gives all what the first has.</summary>
    internal void Broadcast(Span<byte> values) => _others?.Broadcast(values, 0);

    /// <summary>Sums over all processes, in place.</summary>
    public void Sum(Span<float> values) => _others?.Sum(values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    public void Sum(Span<double> values) => _others?.Sum(values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    public void Sum(Span<long> values) => _others?.Sum(values);

    /// <summary>The sum over all processes, in place.</summary>
    /// <param name="values">Contiguous; float32, float64 or int64.</param>
    public void Sum(torch.Tensor values)
    {
        if (_others is null)
        {
            return;
        }

        if (values.device_type == DeviceType.CUDA && _gpus.Value is { } gpus)
        {
            gpus.Sum(values);
            return;
        }

        using var host = values.device_type == DeviceType.CPU ? values.alias() : values.cpu();
        switch (host.dtype)
        {
            case torch.ScalarType.Float32:
                Sum(MemoryMarshal.Cast<byte, float>(host.bytes));
                break;
            case torch.ScalarType.Float64:
                Sum(MemoryMarshal.Cast<byte, double>(host.bytes));
                break;
            case torch.ScalarType.Int64:
                Sum(MemoryMarshal.Cast<byte, long>(host.bytes));
                break;
            default:
                throw new ArgumentException($"Tensors of float32, float64 and int64 are summed, not {host.dtype}.");
        }

        if (values.device_type != DeviceType.CPU)
        {
            values.copy_(host);
        }
    }

    /// <summary>Sums several tensors over all processes, in place and in one message.</summary>
    /// <param name="values">All of one type, as in <see cref="Sum(torch.Tensor)"/>.</param>
    public void Sum(IList<torch.Tensor> values)
    {
        if (_others is null || values.Count == 0)
        {
            return;
        }

        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var bucket = torch.cat([.. values.Select(tensor => tensor.flatten())]);
        Sum(bucket);
        foreach (var (tensor, sum) in values.Zip(bucket.split([.. values.Select(tensor => tensor.numel())])))
        {
            tensor.copy_(sum.view(tensor.shape));
        }
    }

    /// <summary>Whether it is so for any of the processes.</summary>
    public bool Any(bool here)
    {
        Span<long> count = [here ? 1 : 0];
        Sum(count);
        return count[0] > 0;
    }

    /// <summary>What one process says; all must ask.</summary>
    /// <param name="own">What this one would say.</param>
    /// <param name="root">The rank of the one that says it.</param>
    public T From<T>(T own, int root = 0)
    {
        if (_others is null)
        {
            return own;
        }

        var text = Rank == root ? JsonSerializer.SerializeToUtf8Bytes(own, Json.Line) : [];
        Span<long> length = [text.Length];
        Sum(length);
        text = Rank == root ? text : new byte[length[0]];
        _others.Broadcast(text, root);
        return Rank == root ? own : Json.Received<T>(text);
    }

    /// <summary>What every process says, by rank.</summary>
    public IReadOnlyList<T> Gather<T>(T own) => [.. Enumerable.Range(0, Size).Select(root => From(own, root))];

    /// <summary>Work that the processes share out, one piece for each at a time; all know what came of it.</summary>
    /// <param name="items">All the pieces, the same for every process.</param>
    /// <param name="work">Does one, by itself: not all of them do it, so it can't ask the others.</param>
    /// <param name="done">Told of each result, in order, in every process.</param>
    public void Share<TItem, TResult>(IReadOnlyList<TItem> items, Func<TItem, TResult> work, Action<TItem, TResult> done)
    {
        foreach (var round in items.Chunk(Size))
        {
            var own = Rank < round.Length ? work(round[Rank]) : default!;
            foreach (var (item, result) in round.Zip(Gather(own)))
            {
                done(item, result);
            }
        }
    }

    /// <summary>Something that leaves files behind for the others (a download, a cache): the first process does it, then the others do and find them.</summary>
    public T LeaderFirst<T>(Func<T> work)
    {
        var own = Leads ? work() : default;
        Barrier();
        return Leads ? own! : work();
    }

    /// <summary>Ends all processes at once, this one too, where the launcher does its part.</summary>
    /// <param name="code">The exit code.</param>
    public void Abort(int code) => _others?.Abort(code);

    /// <summary>Waits for the others to end, too.</summary>
    public void Dispose()
    {
        if (_gpus.IsValueCreated)
        {
            _gpus.Value?.Dispose();
        }

        _others?.End();
    }

    // A library that means something else by its types' names would train on wrong numbers.
    private void RequireSums()
    {
        float[] narrow = [1, 0.5f];
        double[] wide = [1, 0.5];
        long[] whole = [1, 1L << 40];
        Sum(narrow);
        Sum(wide);
        Sum(whole);
        if (!narrow.SequenceEqual([Size, Size / 2f]) || !wide.SequenceEqual([Size, Size / 2.0]) || !whole.SequenceEqual([Size, Size * (1L << 40)]))
        {
            throw new InputException($"The MPI library does not sum as the kind that it calls itself does: name another one in {Mpi.Variable}.");
        }
    }

    private static long Hash(string text) => (long)(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text)) >> 1);

    // Linux: such as 0-3,8; elsewhere processes are not bound to cores.
    private static string AllowedCores() => File.Exists("/proc/self/status")
        ? File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Cpus_allowed_list", StringComparison.Ordinal)) ?? ""
        : "";
}
