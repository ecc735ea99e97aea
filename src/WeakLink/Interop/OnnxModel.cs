using TorchSharp;
using WeakLink.Files;
using WeakLink.Models;

namespace WeakLink.Interop;

/// <summary>
/// A traced network as an ONNX model: one input, <c>images</c> (N×3×H×W in [0, 1], N free), one output, <c>logits</c> (N×classes).
/// Initialisers have the PyTorch names of the parameters.
/// </summary>
internal static class OnnxModel
{
    /// <summary>The version of the standard operators.</summary>
    public const long Opset = 17;

    public const string Input = "images";
    public const string Output = "logits";

    // The first that knows opset 17.
    private const long FormatVersion = 8;
    private const string Batch = "N";
    private const long FloatType = 1;
    private const int Metadata = 14;

    /// <summary>The model as a protocol buffer message (onnx.proto of the ONNX standard).</summary>
    /// <param name="trace">What the network computes.</param>
    /// <param name="name">The network's name.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="height">Height of the images in pixels.</param>
    /// <param name="width">Width of the images in pixels.</param>
    /// <param name="metadata">Text by key.</param>
    public static ProtobufMessage Create(ForwardTrace trace, string name, int classes, int height, int width, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var graph = new ProtobufMessage();
        foreach (var operation in trace.Operations)
        {
            foreach (var (parameter, value) in operation.Parameters)
            {
                graph.Add(5, Initialiser(trace.FullName(operation, parameter), value));
            }

            graph.Add(1, Node(trace, operation, operation == trace.Operations[^1]));
        }

        graph.Add(2, name)
            .Add(11, Value(Input, [Dimension(Batch), Dimension(3), Dimension(height), Dimension(width)]))
            .Add(12, Value(Output, [Dimension(Batch), Dimension(classes)]));
        var model = new ProtobufMessage()
            .Add(1, FormatVersion)
            .Add(2, "WeakLink")
            .Add(3, typeof(OnnxModel).Assembly.GetName().Version?.ToString(3) ?? "")
            .Add(7, graph)
            .Add(8, new ProtobufMessage().Add(1, "").Add(2, Opset));
        foreach (var (key, text) in metadata)
        {
            model.Add(Metadata, new ProtobufMessage().Add(1, key).Add(2, text));
        }

        return model.Add(Metadata, new ProtobufMessage().Add(1, ExportMetadata.Checksum).Add(2, model.Sha256()));
    }

    private static ProtobufMessage Node(ForwardTrace trace, TracedOperation operation, bool last)
    {
        var output = last ? Output : ValueName(operation.Output);
        var node = new ProtobufMessage();
        foreach (var input in operation.Inputs.Select(ValueName).Concat(operation.Parameters.Select(parameter => trace.FullName(operation, parameter.Name))))
        {
            node.Add(1, input);
        }

        node.Add(2, output).Add(3, output).Add(4, operation.Operator);
        foreach (var (name, value) in operation.Attributes)
        {
            node.Add(5, Attribute(name, value));
        }

        return node;
    }

    private static string ValueName(int number) => number == 0 ? Input : $"value_{number}";

    private static ProtobufMessage Attribute(string name, object value)
    {
        var attribute = new ProtobufMessage().Add(1, name);
        switch (value)
        {
            case float number:
                return attribute.Add(2, number).Add(20, 1);
            case long number:
                return attribute.Add(3, number).Add(20, 2);
            case long[] numbers:
                foreach (var number in numbers)
                {
                    attribute.Add(8, number);
                }

                return attribute.Add(20, 7);
            default:
                throw new ArgumentException($"The attribute '{name}' is a {value.GetType().Name}; a long, a float or an array of long can be exported.", nameof(value));
        }
    }

    private static ProtobufMessage Initialiser(string name, torch.Tensor value)
    {
        var tensor = new ProtobufMessage();
        foreach (var length in value.shape)
        {
            tensor.Add(1, length);
        }

        return tensor.Add(2, FloatType).Add(8, name).Add(9, value.bytes.ToArray());
    }

    private static ProtobufMessage Dimension(long length) => new ProtobufMessage().Add(1, length);

    private static ProtobufMessage Dimension(string name) => new ProtobufMessage().Add(2, name);

    private static ProtobufMessage Value(string name, ProtobufMessage[] dimensions)
    {
        var shape = new ProtobufMessage();
        foreach (var dimension in dimensions)
        {
            shape.Add(1, dimension);
        }

        return new ProtobufMessage().Add(1, name).Add(2, new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, FloatType).Add(2, shape)));
    }
}
