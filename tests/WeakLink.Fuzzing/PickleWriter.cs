using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using TorchSharp;

namespace WeakLink.Fuzzing;

/// <summary>Writes what Python's pickle (protocol 2) and <c>torch.save</c> write, without Python: instructions one by one.</summary>
internal sealed class PickleWriter
{
    private readonly List<byte> _bytes = [];
    private readonly List<(string Key, byte[] Bytes)> _storages = [];
    private readonly Dictionary<string, long> _counts = [];

    public PickleWriter() => Raw(0x80, 2);

    public byte[] Finished => [.. _bytes, (byte)'.'];

    public PickleWriter Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleWriter Mark() => Raw((byte)'(');

    public PickleWriter Tuple() => Raw((byte)'t');

    public PickleWriter Global(string module, string name) => Raw((byte)'c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleWriter Reduce() => Raw((byte)'R');

    public PickleWriter Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Raw((byte)'X').Int32(bytes.Length).Raw(bytes);
    }

    public PickleWriter Number(long value)
    {
        if (value is >= 0 and <= byte.MaxValue)
        {
            return Raw((byte)'K', (byte)value);
        }

        if (value is >= int.MinValue and <= int.MaxValue)
        {
            return Raw((byte)'J').Int32((int)value);
        }

        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes);
    }

    public PickleWriter Numbers(IEnumerable<long> values)
    {
        Mark();
        foreach (var value in values)
        {
            Number(value);
        }

        return Tuple();
    }

    /// <summary>A dictionary of what is written between; OrderedDict is what state_dict gives.</summary>
    public PickleWriter Dictionary(Action items, bool ordered = true)
    {
        _ = ordered ? Global("collections", "OrderedDict").Raw((byte)')').Reduce() : Raw((byte)'}');
        Mark();
        items();
        return Raw((byte)'u');
    }

    /// <summary>A state dictionary.</summary>
    public PickleWriter State(IEnumerable<KeyValuePair<string, torch.Tensor>> tensors) => Dictionary(() =>
    {
        foreach (var (name, tensor) in tensors)
        {
            Text(name).Tensor(tensor);
        }
    });

    /// <summary>A tensor with a storage of its own.</summary>
    public PickleWriter Tensor(torch.Tensor tensor)
    {
        var key = $"{_storages.Count}";
        var strides = tensor.contiguous().stride();
        _storages.Add((key, tensor.contiguous().bytes.ToArray()));
        return View(key, StorageName(tensor.dtype), tensor.numel(), 0, tensor.shape, strides);
    }

    /// <summary>Any view of any storage, as torch.save describes it.</summary>
    public PickleWriter View(string key, string type, long count, long offset, IEnumerable<long> shape, IEnumerable<long> strides)
    {
        _counts[key] = count;
        Global("torch._utils", "_rebuild_tensor_v2").Mark();
        Mark().Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Tuple().Raw((byte)'Q');
        Number(offset).Numbers(shape).Numbers(strides).Raw(0x89).Global("collections", "OrderedDict").Raw((byte)')').Reduce();
        return Tuple().Reduce();
    }

    public PickleWriter Storage(string key, byte[] bytes)
    {
        _storages.Add((key, bytes));
        return this;
    }

    /// <summary>The archive that torch.save writes.</summary>
    public byte[] Archive(CompressionLevel level = CompressionLevel.NoCompression, params (string Name, byte[] Bytes)[] more)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in new[] { ("data.pkl", Finished) }.Concat(_storages.Select(storage => ("data/" + storage.Key, storage.Bytes))).Append(("version", "3\n"u8.ToArray())).Concat(more))
            {
                using var entry = archive.CreateEntry("archive/" + name, level).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    /// <summary>The file that torch.save wrote before version 1.6.</summary>
    /// <param name="magic">The pickle of its magic number; protocol 2 unless it is given.</param>
    public byte[] Sequence(byte[]? magic = null)
    {
        var machine = new PickleWriter();
        machine.Dictionary(() => machine.Text("protocol_version").Number(1001).Text("little_endian").Raw(0x88), ordered: false);
        var keys = new PickleWriter().Raw((byte)']').Mark();
        foreach (var (key, _) in _storages)
        {
            keys.Text(key);
        }

        keys.Raw((byte)'e');
        magic ??= [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
        return
        [
            .. magic, .. new PickleWriter().Number(1001).Finished, .. machine.Finished, .. Finished, .. keys.Finished,
            .. _storages.SelectMany(storage => (byte[])[.. BitConverter.GetBytes(_counts[storage.Key]), .. storage.Bytes]),
        ];
    }

    private static string StorageName(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float32 => "FloatStorage",
        torch.ScalarType.Float64 => "DoubleStorage",
        torch.ScalarType.Float16 => "HalfStorage",
        torch.ScalarType.BFloat16 => "BFloat16Storage",
        torch.ScalarType.Int64 => "LongStorage",
        torch.ScalarType.Int32 => "IntStorage",
        torch.ScalarType.Int16 => "ShortStorage",
        torch.ScalarType.Int8 => "CharStorage",
        torch.ScalarType.Byte => "ByteStorage",
        _ => "BoolStorage",
    };

    private PickleWriter Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }
}
