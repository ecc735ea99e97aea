namespace WeakLink.Fuzzing;

/// <summary>One way in which WeakLink reads bytes that somebody else may have written.</summary>
/// <param name="Name">What the command line and the table call it.</param>
/// <param name="FileName">Where the bytes lie in the folder that it reads from; the ending matters to some.</param>
/// <param name="Opens">The methods of the library that open or parse them, as <c>Type.Method</c>. Every such method of WeakLink has to be here or excused: a test sees to it.</param>
/// <param name="Samples">Valid files, small and made by code.</param>
/// <param name="Read">Reads the file as a command would, and tells what it found.</param>
internal sealed record Reader(string Name, string FileName, IReadOnlyList<string> Opens, Func<IReadOnlyList<byte[]>> Samples, Action<Input, FoundValue> Read)
{
    /// <summary>Whether the file says what it should hold, so that another value than the right one is never taken.</summary>
    public bool IsChecked { get; init; }

    /// <summary>Whether the file is text, which is changed word by word more often than byte by byte.</summary>
    public bool IsText { get; init; }

    /// <summary>Makes the format's own checksums right again after a mutation, so that what lies behind them is met too.</summary>
    public Func<byte[], byte[]> Seal { get; init; } = bytes => bytes;

    /// <summary>Writes what has to lie beside the file.</summary>
    public Action<string> Beside { get; init; } = _ => { };

    /// <summary>How many mutations it is given, as a part of what the others are: less than 1 for what takes longer.</summary>
    public double Share { get; init; } = 1;

    /// <summary>The most memory that a file may make it ask for (bytes), managed and native together: the files here are of a few kilobytes.</summary>
    public long MostMemory { get; init; } = 256L << 20;
}

/// <summary>A file that may be damaged.</summary>
/// <param name="Folder">A folder of its own.</param>
/// <param name="Path">The file, which is written.</param>
/// <param name="Bytes">Its bytes.</param>
internal sealed record Input(string Folder, string Path, byte[] Bytes);
