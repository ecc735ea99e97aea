using TorchSharp;

namespace WeakLink.Models;

/// <summary>What kinds of operations the networks consist of.</summary>
internal enum TracedKind
{
    /// <summary>Subtract <c>mean</c>, divide by <c>standard_deviation</c>.</summary>
    Normalisation,

    /// <summary>With <c>weight</c>, a square kernel, padded by half of it.</summary>
    Convolution,

    /// <summary>With <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c>.</summary>
    BatchNorm,

    /// <summary>The positive part.</summary>
    Relu,

    /// <summary>The sum of two inputs.</summary>
    Add,

    /// <summary>3x3, stride 2, padding 1.</summary>
    MaxPool,

    /// <summary>The mean over the pixels, times <c>weight</c>, plus <c>bias</c>.</summary>
    Classifier,
}

/// <summary>One operation of a forward pass.</summary>
/// <param name="Kind">What it computes.</param>
/// <param name="Inputs">Numbers of the values it takes; 0 is the network's input.</param>
/// <param name="Output">Number of the value it gives.</param>
/// <param name="Layer">Whose parameters it uses; null: the network's own, or none.</param>
/// <param name="Parameters">Parameters by their names within the layer, as they were used: a subnet's are those it keeps. float32, contiguous, on the processor.</param>
/// <param name="Stride">Pixels between two results.</param>
internal sealed record TracedOperation(TracedKind Kind, IReadOnlyList<int> Inputs, int Output, Layer? Layer, IReadOnlyList<(string Name, torch.Tensor Value)> Parameters, long Stride);

/// <summary>
/// The operations of a forward pass in order. Taken from the pass itself, so that what is exported is what runs, whether whole or
/// as a subnet.
/// </summary>
internal sealed class ForwardTrace : IDisposable
{
    private readonly Dictionary<torch.Tensor, int> _values = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Layer, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly List<TracedOperation> _operations = [];

    /// <summary>Whether what came out are numbers.</summary>
    public bool IsFinite { get; set; }

    /// <summary>The operations in forward order; the last gives the logits.</summary>
    public IReadOnlyList<TracedOperation> Operations => _operations;

    public void Add(TracedKind kind, torch.Tensor result, torch.Tensor[] inputs, Layer? layer = null, (string Name, torch.Tensor Value)[]? parameters = null, long stride = 1)
    {
        // An operation in place may give back its input: the input's number is asked for before the result gets one.
        var taken = inputs.Select(Number).ToArray();
        var kept = (parameters ?? []).Select(parameter => (parameter.Name, parameter.Value.detach().to(torch.float32).cpu().contiguous().clone().DetachFromDisposeScope())).ToArray();
        _values[result] = _operations.Count + 1;
        _operations.Add(new TracedOperation(kind, taken, _operations.Count + 1, layer, kept, stride));
    }

    /// <summary>Notes that a tensor holds the values of another.</summary>
    public void Alias(torch.Tensor tensor, torch.Tensor original) => _values[tensor] = Number(original);

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

    // Only the network's input is nobody's result.
    private int Number(torch.Tensor tensor) => _values.GetValueOrDefault(tensor);
}
