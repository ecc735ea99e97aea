using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using TorchSharp;

namespace WeakLink.Files;

/// <summary>
/// The part of Python's pickle format that PyTorch writes tensors in (pickletools.py of CPython describes the format). A pickle is a program; this
/// reader knows no instruction that imports or calls anything: the few names below stand for tensors and containers that it
/// builds itself, every other name, and what would be built by it, for a <see cref="PickledObject"/> that holds nothing. At most <see cref="MostInstructions"/> instructions are followed, each of which makes at most
/// one small object or one text that is in the file, so that memory is bounded by three times the pickle's size plus 200 MB.
/// </summary>
/// <param name="bytes">One pickle, or several one after another.</param>
/// <param name="start">Where the first begins.</param>
internal sealed class PickleReader(byte[] bytes, int start = 0)
{
    /// <summary>A state dictionary needs about thirty instructions a tensor.</summary>
    public const int MostInstructions = 1_000_000;

    private static readonly Dictionary<string, StorageType> StorageTypes = new(StringComparer.Ordinal)
    {
        ["torch FloatStorage"] = new(torch.ScalarType.Float32, 4),
        ["torch DoubleStorage"] = new(torch.ScalarType.Float64, 8),
        ["torch HalfStorage"] = new(torch.ScalarType.Float16, 2),
        ["torch BFloat16Storage"] = new(torch.ScalarType.BFloat16, 2),
        ["torch LongStorage"] = new(torch.ScalarType.Int64, 8),
        ["torch IntStorage"] = new(torch.ScalarType.Int32, 4),
        ["torch ShortStorage"] = new(torch.ScalarType.Int16, 2),
        ["torch CharStorage"] = new(torch.ScalarType.Int8, 1),
        ["torch ByteStorage"] = new(torch.ScalarType.Byte, 1),
        ["torch BoolStorage"] = new(torch.ScalarType.Bool, 1),
    };

    private static readonly Dictionary<string, Func<object?[], object?>> Builders = new(StringComparer.Ordinal)
    {
        ["torch._utils _rebuild_tensor"] = arguments => Tensor(arguments, 4),
        ["torch._utils _rebuild_tensor_v2"] = arguments => Tensor(arguments, 6),
        ["torch._utils _rebuild_parameter"] = arguments => arguments is [PickledTensor or PickledObject, ..] ? arguments[0] : throw Broken("a parameter in it is not a tensor"),
        ["torch Size"] = arguments => arguments is [object?[] lengths] ? lengths : throw Broken("a size in it is not a list of lengths"),
    };

    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);
    private readonly Stack<List<object?>> _marked = new();
    private readonly Dictionary<long, object?> _memo = [];
    private List<object?> _stack = [];
    private int _instructions;

    /// <summary>Where the next pickle begins.</summary>
    public int Position { get; private set; } = start;

    /// <summary>The storages that the pickles so far refer to, by their keys.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _storages;

    /// <summary>
    /// Follows the next pickle to its result: null, bool, long, double, string, byte[], lists (<c>List&lt;object?&gt;</c>), tuples (<c>object?[]</c>),
    /// <see cref="PickledDictionary"/>, <see cref="PickledTensor"/>, <see cref="PickledStorage"/>, <see cref="PickledObject"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged, or asks for anything else; the message says what, as part of a sentence.</exception>
    public object? Next()
    {
        try
        {
            _memo.Clear();
            _marked.Clear();
            _stack = [];
            return Run();
        }
        catch (ArgumentOutOfRangeException exception)
        {
            throw new InvalidDataException("its pickle is cut off", exception);
        }
    }

    private object? Run()
    {
        for (; _instructions < MostInstructions; _instructions++)
        {
            var code = Take(1)[0];
            if (code == (byte)'.')
            {
                return Pop();
            }

            Follow(code);
        }

        throw Broken($"its pickle has more than {MostInstructions:N0} instructions");
    }

    private void Follow(byte code)
    {
        switch (code)
        {
            // PROTO, FRAME: nothing that a reader of whole pickles needs.
            case 0x80:
                Take(1);
                break;
            case 0x95:
                Take(8);
                break;

            // Constants.
            case (byte)'N':
                Push(null);
                break;
            case 0x88:
                Push(true);
                break;
            case 0x89:
                Push(false);
                break;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case (byte)'K':
                Push((long)Take(1)[0]);
                break;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case 0x8a:
                Push(Integer(Take(Take(1)[0])));
                break;
            case (byte)'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;

            case (byte)'I':
                Push(Line() switch { "00" => false, "01" => true, var digits => Integer(digits) });
                break;
            case (byte)'L':
                Push(Integer(Line().TrimEnd('L')));
                break;

            // Text and bytes.
            case (byte)'X':
                Push(Text(Take(Length(4))));
                break;
            case 0x8c:
                Push(Text(Take(Length(1))));
                break;
            case 0x8d:
                Push(Text(Take(Length(8))));
                break;
            case (byte)'U':
                Push(Encoding.Latin1.GetString(Take(Length(1))));
                break;
            case (byte)'T':
                Push(Encoding.Latin1.GetString(Take(Length(4))));
                break;
            case (byte)'C':
                Push(Take(Length(1)).ToArray());
                break;
            case (byte)'B':
                Push(Take(Length(4)).ToArray());
                break;

            // Containers.
            case (byte)'(':
                _marked.Push(_stack);
                _stack = [];
                break;
            case (byte)')':
                Push(Array.Empty<object?>());
                break;
            case 0x85:
                Push(Tuple(1));
                break;
            case 0x86:
                Push(Tuple(2));
                break;
            case 0x87:
                Push(Tuple(3));
                break;
            case (byte)'t':
                Push(PopMark().ToArray());
                break;
            case (byte)']':
                Push(new List<object?>());
                break;
            case (byte)'l':
                Push(PopMark());
                break;
            case (byte)'a':
                Append([Pop()]);
                break;
            case (byte)'e':
                Append(PopMark());
                break;
            case (byte)'}':
                Push(new PickledDictionary());
                break;
            case (byte)'s':
                AddPairs([.. Tuple(2)]);
                break;
            case (byte)'u':
                AddPairs(PopMark());
                break;

            // The memo: values by number.
            case (byte)'q':
                _memo[Take(1)[0]] = Peek();
                break;
            case (byte)'r':
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                break;
            case 0x94:
                _memo[_memo.Count] = Peek();
                break;
            case (byte)'h':
                Push(Memo(Take(1)[0]));
                break;
            case (byte)'j':
                Push(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;

            // Names, and what is built from them.
            case (byte)'c':
                Push(Named(Line(), Line()));
                break;
            case 0x93:
                var names = Tuple(2);
                Push(Named(names[0] as string ?? "", names[1] as string ?? ""));
                break;
            case (byte)'Q':
                Push(Storage(Pop()));
                break;
            // REDUCE and NEWOBJ: a call by name, an object of a class.
            case (byte)'R':
            case 0x81:
                var arguments = Pop() as object?[] ?? throw Broken("its pickle is damaged");
                Push(Pop() switch
                {
                    PickledObject unknown => unknown,
                    Func<object?[], object?> build when code == (byte)'R' => build(arguments),
                    _ => throw Broken("its pickle calls something that is not a name"),
                });
                break;
            case (byte)'b':
                // The attributes of an ordered dictionary (its version); a tensor or list has none.
                Pop();
                if (Peek() is not (PickledDictionary or PickledObject))
                {
                    throw Broken("its pickle is damaged");
                }

                break;
            default:
                throw Broken($"its pickle uses the instruction 0x{code:x2}, which PyTorch does not write for tensors");
        }
    }

    private object Named(string module, string name)
    {
        var full = $"{module} {name}";
        return full is "collections OrderedDict" or "collections Counter" ? (Func<object?[], object?>)Dictionary
            : StorageTypes.TryGetValue(full, out var type) ? type
            : Builders.TryGetValue(full, out var builder) ? builder
            : new PickledObject($"{Printable(module)}.{Printable(name)}");
    }

    private PickledStorage Storage(object? id)
    {
        if (id is object?[] parts && parts.OfType<PickledObject>().FirstOrDefault() is { } unknown)
        {
            throw unknown.Refusal;
        }

        // The older format has a sixth part: a view of another storage, or nothing.
        if (id is not (object?[] and ["storage", StorageType type, string key, string, long count, .. [] or [null]]) || count < 0)
        {
            throw Broken("it refers to a storage in an unknown way");
        }

        var storage = new PickledStorage(key, type.Type, type.Size, count);
        return _storages.TryAdd(key, storage) || _storages[key] == storage ? storage : throw Broken("two storages in it have the same key");
    }

    private static PickledTensor Tensor(object?[] arguments, int least) =>
        arguments.Length >= least && arguments is [PickledStorage storage, long offset, object?[] shape, object?[] strides, ..]
        && shape.Length <= PickledTensor.MostDimensions && strides.Length <= PickledTensor.MostDimensions && shape.Concat(strides).All(number => number is long)
            ? new PickledTensor(storage, offset, [.. shape.Cast<long>()], [.. strides.Cast<long>()])
            : throw Broken("a tensor in it is described in an unknown way");

    // Python 3 builds an empty one and adds to it, Python 2 gives the pairs; a counter may begin as a copy.
    private PickledDictionary Dictionary(object?[] arguments)
    {
        switch (arguments)
        {
            case []:
                return new PickledDictionary();
            case [PickledDictionary counted]:
                return counted;
            case [List<object?> pairs]:
                // One list may be given again and again.
                _instructions += pairs.Count;
                var dictionary = new PickledDictionary();
                foreach (var pair in pairs)
                {
                    var (key, value) = pair switch
                    {
                        List<object?> { Count: 2 } list => (list[0], list[1]),
                        object?[] { Length: 2 } tuple => (tuple[0], tuple[1]),
                        _ => throw Broken("a dictionary in it is described in an unknown way"),
                    };
                    dictionary.Add(key, value);
                }

                return dictionary;
            default:
                throw Broken("a dictionary in it is described in an unknown way");
        }
    }

    private void Append(List<object?> items)
    {
        if (Peek() is not PickledObject)
        {
            Top<List<object?>>().AddRange(items);
        }
    }

    private void AddPairs(List<object?> items)
    {
        if (Peek() is PickledObject)
        {
            return;
        }

        var dictionary = Top<PickledDictionary>();
        if (items.Count % 2 != 0)
        {
            throw Broken("its pickle is damaged");
        }

        for (var i = 0; i < items.Count; i += 2)
        {
            dictionary.Add(items[i], items[i + 1]);
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = bytes.AsSpan(Position, count);
        Position += count;
        return taken;
    }

    private int Length(int size)
    {
        var number = Take(size);
        ulong length = 0;
        for (var i = size - 1; i >= 0; i--)
        {
            length = (length << 8) | number[i];
        }

        return length <= (ulong)(bytes.Length - Position) ? (int)length : throw Broken("its pickle is cut off");
    }

    private static long Integer(ReadOnlySpan<byte> number)
    {
        if (number.Length > sizeof(long))
        {
            throw Broken("it has an integer of more than 64 bits");
        }

        Span<byte> whole = stackalloc byte[sizeof(long)];
        whole.Fill(number.Length > 0 && number[^1] >= 0x80 ? (byte)0xff : (byte)0);
        number.CopyTo(whole);
        return BinaryPrimitives.ReadInt64LittleEndian(whole);
    }

    private static long Integer(string digits) =>
        long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Broken("it has an integer of more than 64 bits");

    private static string Text(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);

    private string Line()
    {
        var length = bytes.AsSpan(Position).IndexOf((byte)'\n');
        var line = length >= 0 ? Text(Take(length)) : throw Broken("its pickle is cut off");
        Take(1);
        return line;
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 ? _stack[^1] : throw Broken("its pickle is damaged");

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private T Top<T>() => Peek() is T value ? value : throw Broken("its pickle is damaged");

    private object?[] Tuple(int count)
    {
        if (_stack.Count < count)
        {
            throw Broken("its pickle is damaged");
        }

        var items = _stack.GetRange(_stack.Count - count, count).ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private List<object?> PopMark()
    {
        var items = _stack;
        _stack = _marked.TryPop(out var outer) ? outer : throw Broken("its pickle is damaged");
        return items;
    }

    private object? Memo(long number) => _memo.TryGetValue(number, out var value) ? value : throw Broken("its pickle is damaged");

    private static string Printable(string name) => string.Concat(name.Take(60).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' ? letter : '?'));

    private static InvalidDataException Broken(string why) => new(why);

    private sealed record StorageType(torch.ScalarType Type, int Size);
}
