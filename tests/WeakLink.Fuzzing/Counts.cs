using System.IO.MemoryMappedFiles;

namespace WeakLink.Fuzzing;

/// <summary>What a worker has done so far, in memory that outlives it: where a mutation kills the process, the fuzzer reads here which one it was.</summary>
internal sealed class Counts : IDisposable
{
    private const int Places = 6;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <summary>Opens the counts of a folder, or begins with zeros.</summary>
    public Counts(string folder)
    {
        _file = MemoryMappedFile.CreateFromFile(Path.Combine(folder, "counts"), FileMode.OpenOrCreate, null, Places * sizeof(long));
        _view = _file.CreateViewAccessor();
    }

    /// <summary>The mutation that is being read.</summary>
    public long Current { get => this[0]; set => this[0] = value; }

    public long Same { get => this[1]; set => this[1] = value; }

    public long Other { get => this[2]; set => this[2] = value; }

    public long Sentences { get => this[3]; set => this[3] = value; }

    public long Failed { get => this[4]; set => this[4] = value; }

    /// <summary>Processor time of all workers.</summary>
    public long Milliseconds { get => this[5]; set => this[5] = value; }

    private long this[int place]
    {
        get => _view.ReadInt64(place * sizeof(long));
        set => _view.Write(place * sizeof(long), value);
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
