using System.IO.Hashing;
using System.Runtime.InteropServices;
using TorchSharp;

namespace WeakLink.Fuzzing;

/// <summary>What a reader made of a file: equal for equal values.</summary>
internal sealed class FoundValue
{
    private readonly XxHash3 _hash = new();

    public ulong Hash => _hash.GetCurrentHashAsUInt64();

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length);
        _hash.Append(bytes);
    }

    public void Add(long number) => _hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in number)));

    public void Add(string? text) => Add(MemoryMarshal.AsBytes((text ?? "\0").AsSpan()));

    public void Add(IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            Add(text);
        }
    }

    public void Add(IEnumerable<KeyValuePair<string, torch.Tensor>> tensors)
    {
        foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Add(name);
            Add((long)tensor.dtype);
            Add(string.Join(',', tensor.shape));
            Add(tensor.bytes);
        }
    }
}
