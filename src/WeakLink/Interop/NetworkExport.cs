using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Interop;

/// <summary>
/// Writes a network for other programs: whole, or a subnet as a smaller network of its own. What is written is what a forward pass in
/// float32 computes, wherever the network lives.
/// </summary>
public sealed class NetworkExport
{
    /// <summary>The version of ONNX's standard operators that models are written in.</summary>
    public const long OnnxOpset = OnnxModel.Opset;

    // A protocol buffer's lengths are 32-bit integers with a sign in every reader.
    private const long LargestOnnx = int.MaxValue;

    private readonly ClassifierNetwork _network;
    private readonly IReadOnlyList<string> _classes;
    private readonly ImagePreparation _preparation;

    /// <summary>Describes what is exported.</summary>
    /// <param name="network">The network; it stays as it is.</param>
    /// <param name="classes">Class names in the order of the logits.</param>
    /// <param name="preparation">What becomes of an image before the network sees it; the middle that is left is the network's input.</param>
    public NetworkExport(ClassifierNetwork network, IReadOnlyList<string> classes, ImagePreparation preparation)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(classes.Count, network.Classes);
        (_network, _classes, _preparation) = (network, classes, preparation);
    }

    /// <summary>What is exported of the network; null: everything.</summary>
    public Subnet? Subnet { get; init; }

    /// <summary>The subnet's batch-norm statistics; null: the full network's running averages.</summary>
    public SubnetStatistics? Statistics { get; init; }

    /// <summary>
    /// Writes an ONNX model: input <c>images</c> (N×3×H×W in [0, 1], float32, any N), output <c>logits</c> (N×classes). The normalisation
    /// is part of it; class names and what becomes of an image before (JSON) are its metadata <c>classes</c> and <c>preparation</c>. The last metadata,
    /// <c>weaklink.sha256</c>, is the checksum of all bytes before them.
    /// </summary>
    /// <exception cref="InputException">The file can't be written, the network is too large for one, or it holds what no network computes with.</exception>
    public void WriteOnnx(string path)
    {
        using var trace = Trace();
        var model = OnnxModel.Create(trace, _network.Name, _network.Classes, _preparation.CropHeight, _preparation.CropWidth, Metadata(trace));
        if (model.Length > LargestOnnx)
        {
            throw new InputException($"'{path}' would take {model.Length:N0} bytes, more than an ONNX file can hold (2 GiB): export it as safetensors.");
        }

        AtomicFile.Write(path, model.WriteTo);
    }

    /// <summary>
    /// Writes the tensors under their PyTorch names, as <c>load_state_dict</c> takes them: torchvision's for ResNets, RobustBench's for PreAct
    /// and wide ones. Normalisation, class names and what becomes of an image before are metadata.
    /// </summary>
    /// <exception cref="InputException">The file can't be written, or the network holds what no network computes with.</exception>
    public void WriteSafeTensors(string path)
    {
        using var trace = Trace();
        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var operation in trace.Operations.Where(operation => operation.Layer is not null))
        {
            foreach (var (name, value) in operation.Parameters)
            {
                tensors.Add(trace.FullName(operation, name), value);
            }

            if (operation.Layer is BatchNorm norm)
            {
                tensors.Add(trace.FullName(operation, BatchNorm.Batches), norm.get_buffer(BatchNorm.Batches)!);
            }
        }

        SafeTensors.Write(path, tensors, Metadata(trace).ToDictionary());
    }

    /// <summary>Trainable numbers of what is exported.</summary>
    public long ParameterCount
    {
        get
        {
            using var trace = Trace();
            return trace.Operations.Where(operation => operation.Layer is not null)
                .SelectMany(operation => operation.Parameters)
                .Where(parameter => !parameter.Name.StartsWith("running_", StringComparison.Ordinal))
                .Sum(parameter => parameter.Value.numel());
        }
    }

    private ForwardTrace Trace()
    {
        var trace = _network.Trace(_preparation.CropHeight, _preparation.CropWidth, Subnet, Statistics);
        if (UsableNumbers.Problem(trace.Operations.SelectMany(operation => operation.Parameters.Select(parameter => KeyValuePair.Create(trace.FullName(operation, parameter.Name), parameter.Value)))) is { } problem)
        {
            trace.Dispose();
            throw new InputException($"The network can't be exported: {problem}. Its training diverged; export one from before that.");
        }

        if (!trace.IsFinite)
        {
            trace.Dispose();
            throw new InputException("The network can't be exported: it gives no finite numbers (NaN or infinity) for a black image. Its weights are damaged or its training diverged; export one from before that.");
        }

        return trace;
    }

    private IEnumerable<KeyValuePair<string, string>> Metadata(ForwardTrace trace)
    {
        var (centring, scaling) = (trace.Operations[0].Parameters[0].Value, trace.Operations[1].Parameters[0].Value);
        yield return new(ExportMetadata.Model, _network.Name);
        yield return new(ExportMetadata.Classes, JsonSerializer.Serialize(_classes, Json.Line));
        yield return new(ExportMetadata.Height, $"{_preparation.CropHeight}");
        yield return new(ExportMetadata.Width, $"{_preparation.CropWidth}");
        yield return new(ExportMetadata.Preparation, _preparation.ToJson());
        yield return new(ExportMetadata.Mean, JsonSerializer.Serialize(centring.data<float>().ToArray(), Json.Line));
        yield return new(ExportMetadata.StandardDeviation, JsonSerializer.Serialize(scaling.data<float>().ToArray(), Json.Line));
        if (Subnet is not null)
        {
            yield return new(ExportMetadata.Subnet, JsonSerializer.Serialize(Kept(), Json.Line));
        }
    }

    private Dictionary<string, IReadOnlyList<long>> Kept() =>
        _network.Space.Choices.Zip(Subnet!.Kept).ToDictionary(pair => pair.First.Name, pair => pair.Second, StringComparer.Ordinal);
}
