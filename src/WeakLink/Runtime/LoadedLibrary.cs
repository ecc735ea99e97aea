using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WeakLink.Runtime;

/// <summary>A shared library as it lies in this process (Linux): its path, and the memory that it writes to.</summary>
internal sealed unsafe partial class LoadedLibrary
{
    // elf.h
    private const uint Loadable = 1;
    private const uint Writable = 2;

    // One search at a time on a thread: what the loader calls back can't be given a managed object.
    [ThreadStatic]
    private static (string FileName, LoadedLibrary? Found) _search;

    private readonly List<(nint Start, int Words)> _writable = [];

    private LoadedLibrary(string path) => Path = path;

    /// <summary>Where it was loaded from.</summary>
    public string Path { get; }

    /// <summary>The part of libtorch that computes on the processor; null where it is not loaded.</summary>
    public static LoadedLibrary? Libtorch => Find("libtorch_cpu.so");

    /// <summary>The library of a file name; null where none is loaded, or on another system than Linux.</summary>
    private static LoadedLibrary? Find(string fileName)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        _search = (fileName, null);
        _ = Iterate(&Visit, 0);
        return _search.Found;
    }

    /// <summary>
    /// How many of its segments can be written to. Their bounds are those of the program headers: the anonymous memory behind a
    /// library's last segment may run on into the heap.
    /// </summary>
    public int WritableSegments => _writable.Count;

    /// <summary>One of them.</summary>
    public Span<uint> WritableSegment(int index) => new((void*)_writable[index].Start, _writable[index].Words);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Visit(LibraryInfo* library, nuint size, nint data)
    {
        var path = Marshal.PtrToStringUTF8((nint)library->Name) ?? "";
        if (System.IO.Path.GetFileName(path) != _search.FileName)
        {
            return 0;
        }

        var found = new LoadedLibrary(path);
        foreach (ref readonly var header in new ReadOnlySpan<ProgramHeader>(library->Headers, library->HeaderCount))
        {
            if (header.Kind == Loadable && (header.Flags & Writable) != 0)
            {
                found._writable.Add(((nint)(library->Base + header.Address), (int)(header.Size / sizeof(uint))));
            }
        }

        _search.Found = found;
        return 1;
    }

    [LibraryImport("libc.so.6", EntryPoint = "dl_iterate_phdr")]
    private static partial int Iterate(delegate* unmanaged[Cdecl]<LibraryInfo*, nuint, nint, int> visit, nint data);

    /// <summary>link.h: the beginning of dl_phdr_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct LibraryInfo
    {
        public readonly nuint Base;
        public readonly byte* Name;
        public readonly ProgramHeader* Headers;
        public readonly ushort HeaderCount;
    }

    /// <summary>elf.h: Elf64_Phdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ProgramHeader
    {
        public readonly uint Kind;
        public readonly uint Flags;
        public readonly ulong Offset;
        public readonly nuint Address;
        public readonly nuint PhysicalAddress;
        public readonly ulong FileSize;
        public readonly nuint Size;
        public readonly ulong Alignment;
    }
}
