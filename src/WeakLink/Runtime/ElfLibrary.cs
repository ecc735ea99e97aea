using System.Buffers.Binary;
using System.Text;

namespace WeakLink.Runtime;

/// <summary>
/// The symbol versions in a shared library of 64-bit little-endian Linux: which ones it needs of other libraries, for which
/// symbols, and which ones it offers (System V ABI, chapter 4; Linux Standard Base, "Symbol Versioning").
/// </summary>
internal sealed class ElfLibrary
{
    private const uint StringTable = 3;
    private const uint DynamicSymbols = 11;
    private const uint VersionsDefined = 0x6ffffffd;
    private const uint VersionsNeeded = 0x6ffffffe;
    private const uint SymbolVersions = 0x6fffffff;
    private const int SymbolSize = 24;

    private readonly byte[] _file;
    private readonly List<Section> _sections = [];

    /// <summary>Reads the section table.</summary>
    /// <exception cref="InvalidDataException">Not such a library.</exception>
    public ElfLibrary(byte[] file)
    {
        _file = file;
        if (file.Length < 64 || BinaryPrimitives.ReadUInt32BigEndian(file) != 0x7F454C46 || file[4] != 2 || file[5] != 1)
        {
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        }

        var (table, size, count) = ((long)U64(0x28), U16(0x3A), U16(0x3C));
        for (var i = 0; i < count; i++)
        {
            var at = table + (i * size);
            _sections.Add(new Section(U32(at + 4), (long)U64(at + 24), (long)U64(at + 32), (int)U32(at + 40), (int)U32(at + 44)));
        }
    }

    private sealed record Section(uint Kind, long Offset, long Length, int Link, int Info);

    /// <summary>A version that the library needs.</summary>
    /// <param name="Library">Of which library, such as libstdc++.so.6.</param>
    /// <param name="Name">The version, such as GLIBCXX_3.4.32.</param>
    /// <param name="Index">How the symbol table refers to it.</param>
    /// <param name="At">Where in the file its record is.</param>
    public sealed record Need(string Library, string Name, ushort Index, long At);

    /// <summary>The versions needed of other libraries.</summary>
    public IReadOnlyList<Need> Needs()
    {
        var needs = new List<Need>();
        if (_sections.Find(section => section.Kind == VersionsNeeded) is not { } section)
        {
            return needs;
        }

        var strings = _sections[section.Link];
        var at = section.Offset;
        for (var i = 0; i < section.Info; i++)
        {
            var library = Text(strings, U32(at + 4));
            var item = at + U32(at + 8);
            for (var j = 0; j < U16(at + 2); j++)
            {
                needs.Add(new Need(library, Text(strings, U32(item + 8)), U16(item + 6), item));
                item += U32(item + 12);
            }

            at += U32(at + 12);
        }

        return needs;
    }

    /// <summary>The versions that the library offers.</summary>
    public IReadOnlySet<string> Offers()
    {
        var offers = new HashSet<string>(StringComparer.Ordinal);
        if (_sections.Find(section => section.Kind == VersionsDefined) is not { } section)
        {
            return offers;
        }

        var strings = _sections[section.Link];
        var at = section.Offset;
        for (var i = 0; i < section.Info; i++)
        {
            offers.Add(Text(strings, U32(at + U32(at + 12))));
            at += U32(at + 16);
        }

        return offers;
    }

    /// <summary>A symbol that is bound to a version of another library.</summary>
    /// <param name="Name">The symbol.</param>
    /// <param name="NameAt">Where in the file its name is.</param>
    /// <param name="VersionAt">Where in the file its version index is.</param>
    public sealed record Symbol(string Name, long NameAt, long VersionAt);

    /// <summary>The symbols that are bound to a needed version.</summary>
    public IReadOnlyList<Symbol> SymbolsOf(Need need)
    {
        var versions = _sections.First(section => section.Kind == SymbolVersions);
        var symbols = _sections.First(section => section.Kind == DynamicSymbols);
        var strings = _sections[symbols.Link];
        var bound = new List<Symbol>();
        for (var i = 0; i < symbols.Length / SymbolSize; i++)
        {
            var versionAt = versions.Offset + (2 * i);
            if ((U16(versionAt) & 0x7FFF) == need.Index)
            {
                var name = U32(symbols.Offset + (SymbolSize * i));
                bound.Add(new Symbol(Text(strings, name), strings.Offset + name, versionAt));
            }
        }

        return bound;
    }

    private string Text(Section strings, long offset)
    {
        if (strings.Kind != StringTable || offset >= strings.Length)
        {
            throw new InvalidDataException("A name lies outside of its table.");
        }

        var text = Slice(strings.Offset + offset, (int)(strings.Length - offset));
        return Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]);
    }

    private ReadOnlySpan<byte> Slice(long at, int length) => at >= 0 && at + length <= _file.Length
        ? _file.AsSpan((int)at, length)
        : throw new InvalidDataException("The file is shorter than its tables say.");

    private ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    private uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    private ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(at, 8));
}
