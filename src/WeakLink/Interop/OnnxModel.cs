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

            foreach (var node in Nodes(trace, operation, operation == trace.Operations[^1]))
            {
                graph.Add(1, node);
            }
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

    private static IEnumerable<ProtobufMessage> Nodes(ForwardTrace trace, TracedOperation operation, bool last)
    {
        var output = last ? Output : ValueName(operation.Output);
        var inputs = operation.Inputs.Select(ValueName).ToArray();
        string Parameter(string name) => trace.FullName(operation, name);
        switch (operation.Kind)
        {
            case TracedKind.Normalisation:
                yield return Node("Sub", [inputs[0], Parameter("mean")], output + "_centred");
                yield return Node("Div", [output + "_centred", Parameter("standard_deviation")], output);
                break;
            case TracedKind.Convolution:
                var kernel = operation.Parameters[0].Value.shape[2];
                yield return Node("Conv", [inputs[0], Parameter("weight")], output)
                    .Add(5, Integers("kernel_shape", kernel, kernel))
                    .Add(5, Integers("strides", operation.Stride, operation.Stride))
                    .Add(5, Integers("pads", kernel / 2, kernel / 2, kernel / 2, kernel / 2));
                break;
            case TracedKind.BatchNorm:
                yield return Node("BatchNormalization", [inputs[0], Parameter("weight"), Parameter("bias"), Parameter("running_mean"), Parameter("running_var")], output)
                    .Add(5, Number("epsilon", (float)BatchNorm.Epsilon));
                break;
            case TracedKind.Relu:
                yield return Node("Relu", inputs, output);
                break;
            case TracedKind.Add:
                yield return Node("Add", inputs, output);
                break;
            case TracedKind.MaxPool:
                yield return Node("MaxPool", inputs, output).Add(5, Integers("kernel_shape", 3, 3)).Add(5, Integers("strides", 2, 2)).Add(5, Integers("pads", 1, 1, 1, 1));
                break;
            case TracedKind.Classifier:
                yield return Node("GlobalAveragePool", inputs, output + "_pooled");
                yield return Node("Flatten", [output + "_pooled"], output + "_features");
                yield return Node("Gemm", [output + "_features", Parameter("weight"), Parameter("bias")], output).Add(5, Integer("transB", 1));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(operation), operation.Kind, "Unknown operation.");
        }
    }

    private static string ValueName(int number) => number == 0 ? Input : $"value_{number}";

    private static ProtobufMessage Node(string type, string[] inputs, string output)
    {
        var node = new ProtobufMessage();
        foreach (var input in inputs)
        {
            node.Add(1, input);
        }

        return node.Add(2, output).Add(3, output).Add(4, type);
    }

    private static ProtobufMessage Integer(string name, long value) => new ProtobufMessage().Add(1, name).Add(3, value).Add(20, 2);

    private static ProtobufMessage Number(string name, float value) => new ProtobufMessage().Add(1, name).Add(2, value).Add(20, 1);

    private static ProtobufMessage Integers(string name, params long[] values)
    {
        var attribute = new ProtobufMessage().Add(1, name);
        foreach (var value in values)
        {
            attribute.Add(8, value);
        }

        return attribute.Add(20, 7);
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
