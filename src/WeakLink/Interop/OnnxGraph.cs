using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using TorchSharp;
using WeakLink.Files;

namespace WeakLink.Interop;

/// <summary>An operation of an ONNX graph.</summary>
/// <param name="Operator">What it computes, such as Conv.</param>
/// <param name="Name">What the graph calls it; may be empty.</param>
/// <param name="Inputs">Names of the values that it takes; empty where one is left out.</param>
/// <param name="Output">Name of the value that it gives first.</param>
/// <param name="Attributes">Its attributes as messages.</param>
internal sealed record OnnxNode(string Operator, string Name, IReadOnlyList<string> Inputs, string Output, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Attributes)
{
    private const int FloatField = 2, IntegerField = 3, TextField = 4, TensorField = 5, IntegersField = 8;

    /// <summary>An attribute that is a number.</summary>
    public long Integer(string name, long otherwise) => Field(name, IntegerField) is { } field ? (long)field.Value : otherwise;

    /// <summary>An attribute that is a float.</summary>
    public float Float(string name, float otherwise) => Field(name, FloatField) is { } field ? field.Float : otherwise;

    /// <summary>An attribute that is text.</summary>
    public string Text(string name) => Field(name, TextField)?.Text ?? "";

    /// <summary>An attribute that is a list of numbers; null: it has none.</summary>
    public long[]? Integers(string name) => Attributes.TryGetValue(name, out var attribute)
        ? [.. ProtobufReader.Fields(attribute).Where(field => field.Number == IntegersField).SelectMany(field => field.Integers())]
        : null;

    /// <summary>An attribute that is a tensor; null: it has none.</summary>
    public ReadOnlyMemory<byte>? Tensor(string name) => Field(name, TensorField)?.Bytes;

    private ProtobufField? Field(string name, int number) => Attributes.TryGetValue(name, out var attribute)
        ? ProtobufReader.Fields(attribute).Where(field => field.Number == number).Select(field => (ProtobufField?)field).LastOrDefault()
        : null;
}

/// <summary>
/// The graph of an ONNX file: operations, and the tensors that it holds. Nothing in it is executed; reading allocates a small multiple of the file's size, and
/// tensors when they are asked for. (Field numbers are those of onnx.proto.)
/// </summary>
internal sealed class OnnxGraph
{
    // A protocol buffer's lengths are 32-bit integers with a sign.
    private const long Largest = int.MaxValue;

    // The largest networks here have a thousand.
    private const int MostNodes = 100_000;

    private const int LongestHeader = 9;

    private readonly Dictionary<string, ReadOnlyMemory<byte>> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxNode> _producers = new(StringComparer.Ordinal);

    private OnnxGraph(ReadOnlyMemory<byte> file)
    {
        ReadOnlyMemory<byte>? graph = null;
        foreach (var field in ProtobufReader.Fields(file))
        {
            switch (field.Number)
            {
                case 7:
                    graph = field.Bytes;
                    break;
                case 14:
                    var entry = ProtobufReader.Fields(field.Bytes).Where(one => one.Number is 1 or 2).ToLookup(one => one.Number, one => one.Text);
                    Metadata[entry[1].LastOrDefault("")] = entry[2].LastOrDefault("");
                    break;
                default:
                    break;
            }
        }

        var nodes = new List<OnnxNode>();
        var inputs = new List<string>();
        foreach (var field in ProtobufReader.Fields(graph ?? throw new InvalidDataException("it holds no graph")))
        {
            switch (field.Number)
            {
                case 1 when nodes.Count < MostNodes:
                    nodes.Add(Node(field.Bytes));
                    break;
                case 1:
                    throw new InvalidDataException($"it has more than {MostNodes:N0} operations");
                case 5:
                    _tensors[NameOf(field.Bytes, 8)] = field.Bytes;
                    break;
                case 11:
                    inputs.Add(NameOf(field.Bytes, 1));
                    break;
                case 12:
                    Output ??= NameOf(field.Bytes, 1);
                    break;
                default:
                    break;
            }
        }

        Nodes = nodes;
        foreach (var node in nodes)
        {
            if (node.Operator == "Constant" && node.Tensor("value") is { } constant)
            {
                _tensors[node.Output] = constant;
            }
            else
            {
                _producers[node.Output] = node;
            }
        }

        // Files of format 3 and older name their tensors among the inputs.
        Input = inputs.Find(name => !_tensors.ContainsKey(name)) ?? throw new InvalidDataException("its graph has no input");
    }

    /// <summary>What the file says about itself.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Its operations.</summary>
    public IReadOnlyList<OnnxNode> Nodes { get; }

    /// <summary>Name of the first input that is no tensor of the file.</summary>
    public string Input { get; }

    /// <summary>Name of the first output.</summary>
    public string? Output { get; }

    /// <summary>Whether the last metadata are the checksum of all that is before them, as <see cref="NetworkExport.WriteOnnx"/> leaves it.</summary>
    public bool IsVouched { get; private init; }

    /// <summary>Whether a file is one, by how it begins: with the version of the format, which no other that is read here does.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static bool IsOne(string path)
    {
        const byte Version = 0x08, Brace = (byte)'{';
        const byte LargestVersion = 64;
        using var file = InputFile.Open(path, 1);
        var start = new byte[LongestHeader];
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start[0] == Version && start[1] is > 0 and <= LargestVersion && start[^1] != Brace;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message is part of a sentence.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static OnnxGraph Read(string path)
    {
        if (new FileInfo(path).Length > Largest)
        {
            throw new InvalidDataException("it is larger than an ONNX file can be");
        }

        var bytes = InputFile.ReadAll(path);
        return new OnnxGraph(bytes) { IsVouched = Vouched(bytes) };
    }

    /// <summary>What gives a value; null: it is an input, a tensor of the file, or nothing.</summary>
    public OnnxNode? Producer(string value) => _producers.GetValueOrDefault(value);

    /// <summary>Whether the file holds a tensor.</summary>
    public bool Holds(string name) => _tensors.ContainsKey(name);

    /// <summary>The shape of a tensor of the file.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is damaged.</exception>
    public long[] Shape(string name) => [.. ProtobufReader.Fields(Message(name)).Where(field => field.Number == 1).SelectMany(field => field.Integers())];

    /// <summary>A tensor of the file, on the processor; the caller owns it.</summary>
    /// <exception cref="InvalidDataException">There is none, it is damaged or lies elsewhere.</exception>
    public torch.Tensor Tensor(string name)
    {
        var (shape, type, location) = (Shape(name), 0, 0);
        var raw = ReadOnlyMemory<byte>.Empty;
        var numbers = new List<ProtobufField>();
        foreach (var field in ProtobufReader.Fields(Message(name)))
        {
            switch (field.Number)
            {
                case 2:
                    type = (int)field.Value;
                    break;
                case 4 or 5 or 10:
                    numbers.Add(field);
                    break;
                case 9:
                    raw = field.Bytes;
                    break;
                case 14:
                    location = (int)field.Value;
                    break;
                default:
                    break;
            }
        }

        if (location != 0)
        {
            throw new InvalidDataException($"the numbers of '{ParameterNames.Shown(name)}' are in another file: save the model in one (onnx.save of Python's onnx does)");
        }

        var (kind, size) = type switch
        {
            1 => (torch.ScalarType.Float32, 4),
            10 => (torch.ScalarType.Float16, 2),
            11 => (torch.ScalarType.Float64, 8),
            16 => (torch.ScalarType.BFloat16, 2),
            _ => throw new InvalidDataException($"'{ParameterNames.Shown(name)}' holds no floating-point numbers: import the network as it was before it was quantised"),
        };
        // Floats of 32 and 64 bits lie in lists of their own as they are; those of 16 are widened to integers.
        var bytes = raw.Length > 0 ? raw.ToArray()
            : size != 2 && numbers is [{ IsDelimited: true } all] ? all.Bytes.ToArray()
            : size == 2 ? [.. numbers.SelectMany(field => field.Integers()).SelectMany(number => BitConverter.GetBytes((ushort)number))]
            : [.. numbers.SelectMany(field => field.IsDelimited ? field.Bytes.ToArray() : BitConverter.GetBytes(field.Value)[..size])];
        if (shape.Any(length => length < 0) || shape.Aggregate(BigInteger.One, (product, length) => product * length) * size != bytes.Length)
        {
            throw new InvalidDataException($"the numbers of '{ParameterNames.Shown(name)}' are cut off or too many");
        }

        var tensor = torch.empty(shape, kind);
        bytes.CopyTo(tensor.bytes);
        return tensor;
    }

    private ReadOnlyMemory<byte> Message(string name) =>
        _tensors.TryGetValue(name, out var tensor) ? tensor : throw new InvalidDataException($"it computes '{ParameterNames.Shown(name)}' instead of holding it");

    private static OnnxNode Node(ReadOnlyMemory<byte> message)
    {
        var (inputs, output, name, kind) = (new List<string>(), "", "", "");
        var attributes = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var field in ProtobufReader.Fields(message))
        {
            switch (field.Number)
            {
                case 1:
                    inputs.Add(field.Text);
                    break;
                case 2 when output.Length == 0:
                    output = field.Text;
                    break;
                case 3:
                    name = field.Text;
                    break;
                case 4:
                    kind = field.Text;
                    break;
                case 5:
                    attributes[NameOf(field.Bytes, 1)] = field.Bytes;
                    break;
                default:
                    break;
            }
        }

        return new OnnxNode(kind, name.Length > 0 ? name : output, inputs, output, attributes);
    }

    private static string NameOf(ReadOnlyMemory<byte> message, int number) =>
        ProtobufReader.Fields(message).Where(field => field.Number == number && field.IsDelimited).Select(field => field.Text).LastOrDefault("");

    // The entry with the checksum is the last: two bytes of its own, the key with two, the digits with two.
    private static bool Vouched(byte[] file)
    {
        var entry = 6 + ExportMetadata.Checksum.Length + (2 * SHA256.HashSizeInBytes);
        return file.Length > entry
            && file.AsSpan(file.Length - entry + 4).StartsWith(Encoding.ASCII.GetBytes(ExportMetadata.Checksum))
            && Convert.ToHexStringLower(SHA256.HashData(file.AsSpan(0, file.Length - entry))) == Encoding.ASCII.GetString(file.AsSpan(file.Length - (2 * SHA256.HashSizeInBytes)));
    }
}
