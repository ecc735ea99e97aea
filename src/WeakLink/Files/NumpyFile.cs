using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace WeakLink.Files;

/// <summary>
/// Arrays in NumPy's <c>.npy</c> format (NEP 1), read piece by piece: shape and type from the header, then any bytes. Python objects are
/// refused: reading one never runs code.
/// </summary>
public sealed partial class NumpyFile : IDisposable
{
    private const int LongestHeader = 1 << 16;
    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private readonly FileStream _stream;
    private readonly long _data;

    private NumpyFile(string path, FileStream stream, string type, IReadOnlyList<long> shape, long data) =>
        (Path, _stream, Type, Shape, _data) = (path, stream, type, shape, data);

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>The numbers' type as NumPy writes it, such as <c>|u1</c> (bytes), <c>&lt;i8</c> (64-bit integers) or <c>&gt;i8</c> (the same, big-endian).</summary>
    public string Type { get; }

    /// <summary>Length of each dimension; the last varies fastest.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Numbers in the file.</summary>
    public long Count => Shape.Aggregate(1L, (product, length) => checked(product * length));

    /// <summary>Opens a file and checks that it is whole.</summary>
    /// <exception cref="InputException">The file is missing, truncated, or not an array of numbers in C order.</exception>
    public static NumpyFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = InputFile.Open(path, 1, FileOptions.RandomAccess);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The array '{path}' can't be opened ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }

        try
        {
            return Parse(path, stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads bytes of the data as they are in the file; safe to call from several threads.</summary>
    /// <param name="offset">From the first number, in bytes.</param>
    /// <param name="bytes">Receives the bytes.</param>
    /// <exception cref="InputException">The file became shorter.</exception>
    public void Read(long offset, Span<byte> bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(_stream.SafeFileHandle, bytes[done..], _data + offset + done);
            done += read > 0 ? read : throw new InputException($"The array '{Path}' is truncated: copy or fetch it again.");
        }
    }

    /// <summary>Reads a whole array of integers (any of 1 to 8 bytes). Allocates at most nine times the file's size.</summary>
    /// <exception cref="InputException">The numbers are of another type, or too many for an array.</exception>
    public long[] ReadIntegers()
    {
        if (Type[1] is not ('i' or 'u'))
        {
            throw new InputException($"The array '{Path}' holds numbers of type {Type}, expected integers: save it as int64.");
        }

        var size = Type[2] - '0';
        if (Count > Array.MaxLength / size)
        {
            throw new InputException($"The array '{Path}' has {Count:N0} numbers, more than are read at once: split it.");
        }

        var bytes = new byte[Count * size];
        Read(0, bytes);
        var numbers = new long[Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = bytes.AsSpan(i * size, size);
            if (Type[0] == '>')
            {
                number.Reverse();
            }

            numbers[i] = (Type[1], size) switch
            {
                ('u', 1) => number[0],
                ('i', 1) => (sbyte)number[0],
                ('u', 2) => BinaryPrimitives.ReadUInt16LittleEndian(number),
                ('i', 2) => BinaryPrimitives.ReadInt16LittleEndian(number),
                ('u', 4) => BinaryPrimitives.ReadUInt32LittleEndian(number),
                ('i', 4) => BinaryPrimitives.ReadInt32LittleEndian(number),
                _ => BinaryPrimitives.ReadInt64LittleEndian(number),
            };
        }

        return numbers;
    }

    /// <summary>The bytes before the numbers of an array, padded as NumPy does.</summary>
    /// <param name="type">Such as <c>|u1</c>.</param>
    /// <param name="shape">Length of each dimension.</param>
    public static byte[] Header(string type, IReadOnlyList<long> shape)
    {
        const int Alignment = 64;
        var lengths = string.Concat(shape.Select(length => length.ToString(CultureInfo.InvariantCulture) + ", "));
        var text = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({(shape.Count == 1 ? lengths.TrimEnd() : lengths.TrimEnd(' ', ','))}), }}";
        var before = Magic.Length + 4;
        text = text.PadRight(((before + text.Length + 1 + Alignment - 1) / Alignment * Alignment) - before - 1) + "\n";
        var header = new byte[before + text.Length];
        Magic.CopyTo(header, 0);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)text.Length);
        Encoding.ASCII.GetBytes(text, header.AsSpan(before));
        return header;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static NumpyFile Parse(string path, FileStream stream)
    {
        Span<byte> start = stackalloc byte[12];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.StartsWith(Magic) || start[6] is < 1 or > 3)
        {
            throw new InputException($"'{path}' is not a NumPy array (.npy): check that it is the right file and was copied whole.");
        }

        var (headerLength, headerStart) = start[6] == 1
            ? (BinaryPrimitives.ReadUInt16LittleEndian(start[8..]), 10L)
            : (BinaryPrimitives.ReadUInt32LittleEndian(start[8..]), 12L);
        if (headerLength > LongestHeader || headerStart + headerLength > stream.Length)
        {
            throw new InputException($"The array '{path}' is truncated or damaged in its header: copy or fetch it again.");
        }

        var header = new byte[headerLength];
        stream.Position = headerStart;
        stream.ReadExactly(header);
        var (type, shape) = Described(path, Encoding.Latin1.GetString(header));
        var file = new NumpyFile(path, stream, type, shape, headerStart + headerLength);
        var size = file.Type[2] - '0';
        long expected;
        try
        {
            expected = checked(file._data + (file.Count * size));
        }
        catch (OverflowException exception)
        {
            throw new InputException($"The array '{path}' claims an absurd shape ({string.Join('x', file.Shape)}): it is damaged; copy or fetch it again.", exception);
        }

        return stream.Length >= expected
            ? file
            : throw new InputException($"The array '{path}' is truncated: {stream.Length:N0} bytes where its shape {string.Join('x', file.Shape)} needs {expected:N0}; copy or fetch it again.");
    }

    // The header is a Python dictionary, whose keys and spaces may stand in any order.
    private static (string Type, long[] Shape) Described(string path, string header)
    {
        var (type, order, lengths) = (TypeEntry().Match(header), OrderEntry().Match(header), ShapeEntry().Match(header));
        if (!type.Success || !order.Success || !lengths.Success || TypeEntry().Count(header) > 1 || OrderEntry().Count(header) > 1 || ShapeEntry().Count(header) > 1)
        {
            throw new InputException($"The array '{path}' is damaged in its header, or not one of plain numbers (records are not): copy or fetch it again, or save it with numpy.save.");
        }

        var text = type.Groups["type"].Value;
        if (text is [_, 'O', ..])
        {
            throw new InputException($"The array '{path}' holds Python objects, which can't be read without running code: save numbers, with numpy.save(path, numpy.array(list_of_equal_shapes)).");
        }

        if (!NumberType().IsMatch(text))
        {
            throw new InputException($"The array '{path}' holds values of type {ParameterNames.Shown(text)}, expected whole or floating-point numbers of 1 to 8 bytes: save it with numpy.save(path, array.astype('int64')), or 'uint8' for images.");
        }

        var shape = Lengths(path, lengths.Groups["shape"].Value);
        // Numbers along one side lie in the same order either way.
        return order.Groups["fortran"].Value == "True" && shape.Count(length => length != 1) > 1
            ? throw new InputException($"The array '{path}' is in Fortran order, expected C order: save it with numpy.save(path, numpy.ascontiguousarray(array)).")
            : (text[2] == '1' ? "|" + text[1..] : text, shape);
    }

    private static long[] Lengths(string path, string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(length =>
            // Python 2 writes an L after long integers.
            long.TryParse(length.EndsWith('L') ? length[..^1] : length, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw new InputException($"The array '{path}' claims an absurd shape ({ParameterNames.Shown(text)}): it is damaged; copy or fetch it again."))];

    [GeneratedRegex(@"['""]descr['""]\s*:\s*['""](?<type>[^'""]*)['""]\s*[,}]")]
    private static partial Regex TypeEntry();

    [GeneratedRegex(@"['""]fortran_order['""]\s*:\s*(?<fortran>True|False)\s*[,}]")]
    private static partial Regex OrderEntry();

    [GeneratedRegex(@"['""]shape['""]\s*:\s*\((?<shape>[^()]*)\)\s*[,}]")]
    private static partial Regex ShapeEntry();

    [GeneratedRegex("^[<>|][iuf][1248]$")]
    private static partial Regex NumberType();
}
