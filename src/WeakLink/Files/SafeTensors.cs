using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using TorchSharp;

namespace WeakLink.Files;

/// <summary>
/// Tensors in one file, in the published safetensors layout: 8 bytes of header length, a JSON header, the bytes of all tensors.
/// Reading executes nothing and allocates no more than a small multiple of the file's size.
/// </summary>
/// <remarks>
/// Files written here carry two checksums in their metadata, which other tools ignore: of the tensors' bytes, and of the header with its length,
/// which holds the first. So every bit of a file is vouched for, and a damaged header is noticed before it is believed.
/// </remarks>
public static class SafeTensors
{
    private const string HeaderChecksum = "weaklink.header";
    private const string TensorChecksum = "weaklink.tensors";

    // Of version 0.1.0, whose headers nothing vouched for.
    private const string FormerChecksum = "weaklink.xxh3";

    // As the published reader: no sane header is larger.
    private const long LargestHeader = 100_000_000;

    // The largest networks here have a thousand.
    private const int MostTensors = 100_000;

    // What our headers begin with; the checksum of the header follows, and counts as zeros in itself.
    private static readonly byte[] OurStart = Encoding.ASCII.GetBytes($"{{\"__metadata__\":{{\"{HeaderChecksum}\":\"");
    private static readonly string NoChecksum = new('0', 2 * sizeof(ulong));

    private static readonly (string Name, torch.ScalarType Type, int Size)[] Types =
    [
        ("F32", torch.ScalarType.Float32, 4), ("F64", torch.ScalarType.Float64, 8), ("F16", torch.ScalarType.Float16, 2), ("BF16", torch.ScalarType.BFloat16, 2),
        ("I64", torch.ScalarType.Int64, 8), ("I32", torch.ScalarType.Int32, 4), ("I16", torch.ScalarType.Int16, 2), ("I8", torch.ScalarType.Int8, 1),
        ("U8", torch.ScalarType.Byte, 1), ("BOOL", torch.ScalarType.Bool, 1),
    ];

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Tensors by name, on any device.</param>
    /// <param name="metadata">Text by key.</param>
    /// <exception cref="InputException">The file can't be written.</exception>
    public static void Write(string path, IReadOnlyDictionary<string, torch.Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var scope = torch.NewDisposeScope();
        var ordered = tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, Value: pair.Value.detach().cpu().contiguous())).ToList();
        var checksum = new XxHash3();
        foreach (var (_, value) in ordered)
        {
            checksum.Append(value.bytes);
        }

        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString(HeaderChecksum, NoChecksum);
            json.WriteString(TensorChecksum, Text(checksum));
            foreach (var (key, text) in metadata)
            {
                json.WriteString(key, text);
            }

            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, value) in ordered)
            {
                var type = Array.Find(Types, type => type.Type == value.dtype);
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name ?? throw new ArgumentException($"Tensors of type {value.dtype} can't be written."));
                json.WriteStartArray("shape");
                foreach (var length in value.shape)
                {
                    json.WriteNumberValue(length);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += value.NumberOfElements * type.Size);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Readers that map the file want the data aligned to 8 bytes; the layout allows trailing spaces for that.
        while (header.Length % 8 != 0)
        {
            header.WriteByte((byte)' ');
        }

        var bytes = header.ToArray();
        Encoding.ASCII.GetBytes(HeaderHash(bytes), bytes.AsSpan(OurStart.Length));
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
            stream.Write(length);
            stream.Write(bytes);
            foreach (var (_, value) in ordered)
            {
                stream.Write(value.bytes);
            }
        });
    }

    /// <summary>Reads a file; the caller owns the tensors.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Tensors and metadata by name.</returns>
    /// <exception cref="InputException">The file is missing, truncated, damaged, changed since it was written, or not of this layout.</exception>
    public static StoredTensors Read(string path)
    {
        try
        {
            using var file = InputFile.Open(path);
            return Read(path, file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The checkpoint '{path}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    private static StoredTensors Read(string path, FileStream file)
    {
        // The length of the header, and the brace that it begins with.
        var prefix = new byte[9];
        var whole = file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) == prefix.Length;
        var length = whole ? BinaryPrimitives.ReadInt64LittleEndian(prefix) : -1;
        if (!whole || prefix[8] != '{')
        {
            throw new InputException($"'{path}' is not a safetensors file: name one, or a run folder (PyTorch's .pt and .pth files and .onnx models are imported first).");
        }

        file.Position = 8;
        if (length is < 2 or > LargestHeader || length > file.Length - 8)
        {
            throw Broken(path, "its header is cut off");
        }

        var header = new byte[length];
        file.ReadExactly(header);
        var isOurs = header.AsSpan().StartsWith(OurStart) && header.Length >= OurStart.Length + NoChecksum.Length;
        if (isOurs && !header.AsSpan(OurStart.Length, NoChecksum.Length).SequenceEqual(Encoding.ASCII.GetBytes(HeaderHash(header))))
        {
            throw Changed(path);
        }

        var (entries, metadata) = Header(path, header, file.Length - 8 - length);
        metadata.Remove(HeaderChecksum, out var ofHeader);
        metadata.Remove(TensorChecksum, out var ofTensors);
        metadata.Remove(FormerChecksum, out var former);
        if ((ofHeader is not null) != isOurs || (ofTensors is not null) != isOurs)
        {
            throw Changed(path);
        }

        // Entries are in the order of the file, without gaps.
        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        var checksum = new XxHash3();
        try
        {
            foreach (var entry in entries)
            {
                var tensor = torch.empty(entry.Shape, entry.Type).DetachFromDisposeScope();
                tensors.Add(entry.Name, tensor);
                if (entry.End > entry.Start)
                {
                    file.ReadExactly(tensor.bytes);
                    checksum.Append(tensor.bytes);
                }
            }

            return (ofTensors ?? former) is { } expected && expected != Text(checksum)
                ? throw Changed(path)
                : new StoredTensors(tensors, metadata) { Vouched = isOurs ? Vouched.Everything : former is null ? Vouched.Nothing : Vouched.Tensors };
        }
        catch
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }
    }

    private static string HeaderHash(ReadOnlySpan<byte> header)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        var checksum = new XxHash3();
        checksum.Append(length);
        checksum.Append(header[..OurStart.Length]);
        checksum.Append(Encoding.ASCII.GetBytes(NoChecksum));
        checksum.Append(header[(OurStart.Length + NoChecksum.Length)..]);
        return Text(checksum);
    }

    private static string Text(XxHash3 checksum) => checksum.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);

    private static (List<Entry> Entries, Dictionary<string, string> Metadata) Header(string path, ReadOnlyMemory<byte> json, long dataLength)
    {
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = Json.Document(json);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals("__metadata__"))
                {
                    foreach (var item in property.Value.EnumerateObject())
                    {
                        metadata.Add(item.Name, item.Value.GetString() ?? "");
                    }

                    continue;
                }

                entries.Add(entries.Count < MostTensors ? Parse(path, property, dataLength) : throw Broken(path, $"it holds more than {MostTensors:N0} tensors"));
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw Broken(path, "its header is not that of a safetensors file", exception);
        }

        entries.Sort((a, b) => (a.Start, a.End).CompareTo((b.Start, b.End)));
        long end = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != end)
            {
                throw Broken(path, $"tensor '{ParameterNames.Shown(entry.Name)}' overlaps another or leaves a gap");
            }

            end = entry.End;
        }

        return end == dataLength ? (entries, metadata) : throw Broken(path, "it is longer or shorter than its header says");
    }

    private static Entry Parse(string path, JsonProperty property, long dataLength)
    {
        var dtype = property.Value.GetProperty("dtype").GetString();
        var type = Array.Find(Types, type => type.Name == dtype);
        if (type.Name is null)
        {
            throw new InputException($"The checkpoint '{path}' holds '{ParameterNames.Shown(property.Name)}' as {ParameterNames.Shown(dtype ?? "nothing")}, which WeakLink does not read ({string.Join(", ", Types.Select(known => known.Name))}): save it as float32 (tensor.float()); if WeakLink wrote the file, it is damaged.");
        }

        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(item => item.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(item => item.GetInt64()).ToArray();
        if (offsets.Length != 2 || shape.Length > 16 || shape.Any(side => side < 0))
        {
            throw Broken(path, $"tensor '{ParameterNames.Shown(property.Name)}' has an impossible shape or place");
        }

        // An empty tensor has sides too, and libtorch multiplies them.
        var sides = shape.Aggregate((long)type.Size, (product, side) => checked(product * Math.Max(side, 1)));
        var size = shape.Contains(0) ? 0 : sides;
        if (offsets[0] < 0 || offsets[1] > dataLength || offsets[1] - offsets[0] != size)
        {
            throw Broken(path, $"tensor '{ParameterNames.Shown(property.Name)}' does not fit into the file");
        }

        return size <= Array.MaxLength
            ? new Entry(property.Name, type.Type, shape, offsets[0], offsets[1])
            : throw new InputException(FormattableString.Invariant($"The checkpoint '{path}' holds '{ParameterNames.Shown(property.Name)}' of {size / 1e9:0.0} GB, and WeakLink reads no tensor of 2 GB or more: it is no network of images."));
    }

    private static InputException Changed(string path) => Broken(path, "its checksum does not match its content: it was changed after WeakLink wrote it");

    private static InputException Broken(string path, string why, Exception? cause = null) =>
        new($"The checkpoint '{path}' is damaged: {why}. Use another checkpoint, or train again.", cause);

    private sealed record Entry(string Name, torch.ScalarType Type, long[] Shape, long Start, long End);
}

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">Tensors by name; whoever reads the file owns them.</param>
/// <param name="Metadata">Text by key, without the checksums.</param>
public sealed record StoredTensors(Dictionary<string, torch.Tensor> Tensors, Dictionary<string, string> Metadata) : IDisposable
{
    /// <summary>What of the file a checksum of WeakLink vouched for.</summary>
    public Vouched Vouched { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values)
        {
            tensor.Dispose();
        }
    }
}

/// <summary>What of a file is known to be as WeakLink wrote it.</summary>
public enum Vouched
{
    /// <summary>Nothing: another program wrote it.</summary>
    Nothing,

    /// <summary>The tensors' bytes: version 0.1.0 wrote it.</summary>
    Tensors,

    /// <summary>Every bit.</summary>
    Everything,
}
