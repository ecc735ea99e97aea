using TorchSharp;

namespace WeakLink.Models;

/// <summary>One operation of a forward pass.</summary>
/// <param name="Operator">The ONNX operator that computes it.</param>
/// <param name="Inputs">Numbers of the values it takes; 0 is the network's input.</param>
/// <param name="Output">Number of the value it gives.</param>
/// <param name="Layer">Whose parameters it uses; null: the network's own, or none.</param>
/// <param name="Parameters">Its further inputs by their names within the layer, as they were used: a subnet's are those it keeps. float32, contiguous, on the processor.</param>
/// <param name="Attributes">The operator's attributes: a long, a float, or an array of long.</param>
internal sealed record TracedOperation(
    string Operator,
    IReadOnlyList<int> Inputs,
    int Output,
    Layer? Layer,
    IReadOnlyList<(string Name, torch.Tensor Value)> Parameters,
    IReadOnlyList<(string Name, object Value)> Attributes);

/// <summary>
/// The operations of a forward pass in order. Taken from the pass itself, so that what is exported is what runs, whether whole or
/// as a subnet.
/// </summary>
/// <param name="fills">Whether a subnet's kept channels are filled up, as when it runs (<see cref="KeptChannels"/>).</param>
internal sealed class ForwardTrace(bool fills = false) : IDisposable
{
    private readonly Dictionary<torch.Tensor, int> _values = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Layer, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly List<TracedOperation> _operations = [];

    /// <summary>Whether a subnet's kept channels are filled up.</summary>
    public bool Fills { get; } = fills;

    /// <summary>Whether what came out are numbers.</summary>
    public bool IsFinite { get; set; }

    /// <summary>The operations in forward order; the last gives the logits.</summary>
    public IReadOnlyList<TracedOperation> Operations => _operations;

    /// <summary>Begins with the network's input.</summary>
    public void Begin(torch.Tensor images) => _values.Add(images, 0);

    public void Add(string operation, torch.Tensor result, torch.Tensor[] inputs, Layer? layer, (string Name, torch.Tensor Value)[] parameters, (string Name, object Value)[] attributes)
    {
        // An operation in place may give back its input: the input's number is asked for before the result gets one.
        var taken = inputs.Select(input => Number(input, operation)).ToArray();
        var kept = parameters.Select(parameter => (parameter.Name, parameter.Value.detach().to(torch.float32).cpu().contiguous().clone().DetachFromDisposeScope())).ToArray();
        _values[result] = _operations.Count + 1;
        _operations.Add(new TracedOperation(operation, taken, _operations.Count + 1, layer, kept, attributes));
    }

    /// <summary>Notes that a tensor holds the values of another.</summary>
    public void Alias(torch.Tensor tensor, torch.Tensor original) => _values[tensor] = Number(original, "copy");

    /// <summary>Makes sure that the last operation gave the logits.</summary>
    /// <exception cref="InputException">Something after it was not traced.</exception>
    public void End(torch.Tensor logits)
    {
        if (Number(logits, "end") != _operations.Count)
        {
            throw Untraced("end");
        }
    }

    /// <summary>Learns what the network calls its layers.</summary>
    public void Name(torch.nn.Module network)
    {
        foreach (var (name, module) in network.named_modules())
        {
            if (module is Layer layer)
            {
                _names[layer] = name;
            }
        }
    }

    /// <summary>A parameter's name in the network, such as layer1.0.conv1.weight.</summary>
    public string FullName(TracedOperation operation, string parameter) => operation.Layer is null ? parameter : $"{_names[operation.Layer]}.{parameter}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, value) in _operations.SelectMany(operation => operation.Parameters))
        {
            value.Dispose();
        }
    }

    private int Number(torch.Tensor tensor, string operation) => _values.TryGetValue(tensor, out var number) ? number : throw Untraced(operation);

    private static InputException Untraced(string operation) =>
        new($"The network can't be exported: something before its {operation} is computed outside of its layers, and not written down (ForwardPass.Traced).");
}
