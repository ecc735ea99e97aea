using TorchSharp;

namespace WeakLink.Files;

/// <summary>A mapping with its keys (text or integers) in the order of the file. Entries under other keys are left out: no weights have them.</summary>
internal sealed class PickledDictionary
{
    private readonly Dictionary<object, object?> _values = [];

    /// <summary>The entries whose keys are text.</summary>
    public IEnumerable<(string Name, object? Value)> Named => _values.Where(pair => pair.Key is string).Select(pair => ((string)pair.Key, pair.Value));

    public object? this[string name] => _values.GetValueOrDefault(name);

    /// <exception cref="InvalidDataException">The key is there already.</exception>
    public void Add(object? key, object? value)
    {
        if (key is string or long && !_values.TryAdd(key, value))
        {
            throw new InvalidDataException($"the name '{(key is string text ? ParameterNames.Shown(text) : key)}' is in it twice");
        }
    }
}

/// <summary>What a name stands for that is none of a tensor's or a container's, or what it would have built: training scripts keep their settings and scores beside the weights. Holds nothing.</summary>
/// <param name="name">Module and name, as a message shows them.</param>
internal sealed class PickledObject(string name)
{
    /// <summary>For where it stands in place of weights.</summary>
    public InvalidDataException Refusal => new(
        $"it asks to run {name}, and only tensors and containers are read (if you trust it, save its weights alone in Python: torch.save(model.state_dict(), \"weights.pth\"))");
}

/// <summary>Numbers that tensors are views of.</summary>
/// <param name="Key">Their name in the archive.</param>
/// <param name="Type">Their type.</param>
/// <param name="Size">Bytes of one.</param>
/// <param name="Count">How many.</param>
internal sealed record PickledStorage(string Key, torch.ScalarType Type, int Size, long Count);

/// <summary>A view of a storage. Its place within the storage is checked, so that reading it needs no further check.</summary>
internal sealed class PickledTensor
{
    /// <summary>More than any tensor has.</summary>
    public const int MostDimensions = 16;

    /// <param name="storage">What it is a view of.</param>
    /// <param name="offset">Numbers before the first one.</param>
    /// <param name="shape">Length of each dimension.</param>
    /// <param name="strides">Numbers from one to the next along each dimension.</param>
    /// <exception cref="InvalidDataException">It reaches outside of the storage, or has an absurd number of numbers.</exception>
    public PickledTensor(PickledStorage storage, long offset, long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length || shape.Length > MostDimensions || shape.Any(length => length < 0) || strides.Any(stride => stride < 0) || offset < 0)
        {
            throw new InvalidDataException("a tensor in it has an impossible shape");
        }

        (Storage, Offset, Shape, Strides) = (storage, offset, shape, strides);
        try
        {
            // An empty tensor has sides too, and libtorch multiplies them.
            var sides = shape.Aggregate(1L, (product, length) => checked(product * Math.Max(length, 1)));
            Count = shape.Contains(0) ? 0 : sides;
            var span = Count == 0 ? 0 : shape.Zip(strides).Aggregate(1L, (last, side) => checked(last + ((side.First - 1) * side.Second)));
            if (checked(offset + span) > storage.Count)
            {
                throw new InvalidDataException($"a tensor in it ({string.Join('x', shape)}) reaches beyond its storage");
            }
        }
        catch (OverflowException exception)
        {
            throw new InvalidDataException($"a tensor in it has the absurd shape {string.Join('x', shape)}", exception);
        }
    }

    public PickledStorage Storage { get; }

    public long Offset { get; }

    public long[] Shape { get; }

    public long[] Strides { get; }

    /// <summary>Numbers in it; the same ones of its storage may be there more than once.</summary>
    public long Count { get; }
}
