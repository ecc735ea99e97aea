using System.Buffers.Binary;

namespace WeakLink.Runtime;

/// <summary>How libLibTorchSharp.so can be loaded on this system.</summary>
internal enum LoadPath
{
    /// <summary>As it is: the system's libstdc++ has all that it needs.</summary>
    Plain,

    /// <summary>As a rewritten private copy: all that the system lacks is a no-op.</summary>
    PrivateCopy,

    /// <summary>Not at all: the system lacks more.</summary>
    Impossible,
}

/// <summary>
/// libLibTorchSharp.so 0.107.0 was built with GCC 13 and asks for GLIBCXX_3.4.32, which Debian 12, Ubuntu 22.04 and others lack,
/// only for <c>std::ios_base_library_init()</c>. That function makes sure that the standard streams are initialised; on the older
/// runtimes every library that uses streams does so itself, and libtorch has by the time this one loads. So a copy of the library
/// may call something harmless instead: <c>getpid</c>.
/// </summary>
internal static class OlderLibstdcxx
{
    private const string Library = "libstdc++.so.6";
    private const string NoOp = "_ZSt21ios_base_library_initv";
    private const string Substitute = "getpid";

    // Linux Standard Base: a weak version is not required at load time; index 1 is "global, unversioned".
    private const ushort Weak = 2;
    private const ushort Unversioned = 1;

    /// <summary>Decides how to load a library.</summary>
    /// <param name="library">The library.</param>
    /// <param name="offered">The versions that the system's libstdc++ offers.</param>
    /// <returns>The way, and the versions that are missing.</returns>
    public static (LoadPath Path, IReadOnlyList<string> Missing) Decide(ElfLibrary library, IReadOnlySet<string> offered)
    {
        var missing = Missing(library, offered);
        var path = missing.Count == 0 ? LoadPath.Plain
            : missing.All(need => library.SymbolsOf(need).All(symbol => symbol.Name == NoOp)) ? LoadPath.PrivateCopy
            : LoadPath.Impossible;
        return (path, [.. missing.Select(need => need.Name)]);
    }

    /// <summary>The library with what the system lacks made optional.</summary>
    /// <param name="file">A library for which <see cref="Decide"/> says <see cref="LoadPath.PrivateCopy"/>; stays as it is.</param>
    /// <param name="offered">The versions that the system's libstdc++ offers.</param>
    public static byte[] Rewrite(byte[] file, IReadOnlySet<string> offered)
    {
        var library = new ElfLibrary(file);
        var copy = (byte[])file.Clone();
        foreach (var need in Missing(library, offered))
        {
            var flags = copy.AsSpan((int)need.At + 4, 2);
            BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | Weak));
            foreach (var symbol in library.SymbolsOf(need))
            {
                System.Text.Encoding.ASCII.GetBytes(Substitute + "\0").CopyTo(copy, symbol.NameAt);
                BinaryPrimitives.WriteUInt16LittleEndian(copy.AsSpan((int)symbol.VersionAt, 2), Unversioned);
            }
        }

        return copy;
    }

    private static List<ElfLibrary.Need> Missing(ElfLibrary library, IReadOnlySet<string> offered) =>
        [.. library.Needs().Where(need => need.Library == Library && !offered.Contains(need.Name))];
}
