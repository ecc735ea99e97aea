using System.Text;

namespace WeakLink;

/// <summary>What classes are called: each by a name of its own, as predictions and folders are told apart by it.</summary>
public static class ClassNames
{
    // A million classes of four letters.
    private const int LongestFile = 1 << 22;

    // Of most file systems, in bytes.
    private const int LongestFolder = 255;

    /// <summary>Checks names from outside.</summary>
    /// <param name="names">The names.</param>
    /// <param name="origin">Where they are from, to begin a sentence with.</param>
    /// <exception cref="InputException">There are none, one is empty, or two are the same.</exception>
    public static IReadOnlyList<string> Checked(IReadOnlyList<string?>? names, string origin)
    {
        if (names is not { Count: > 0 })
        {
            throw new InputException($"{origin} names no classes: give one name for each.");
        }

        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            if (string.IsNullOrEmpty(names[i]))
            {
                throw new InputException($"{origin} gives class {i} no name: give one for each.");
            }

            if (!places.TryAdd(names[i]!, i))
            {
                throw new InputException($"{origin} gives classes {places[names[i]!]} and {i} the same name '{names[i]}': give each a name of its own.");
            }
        }

        return names!;
    }

    /// <summary>The first name that no folder can have without lying elsewhere, or not being found again; null where all can.</summary>
    /// <param name="names">Names that anything may have given, such as the list in an archive.</param>
    internal static string? WithoutFolder(IEnumerable<string> names) =>
        names.FirstOrDefault(name => name.StartsWith('.') || name.AsSpan().ContainsAny("/\\\0") || Encoding.UTF8.GetByteCount(name) > LongestFolder);

    /// <summary>Reads a text file with one name a line, in UTF-8, or UTF-16 or UTF-32 with a byte order mark.</summary>
    /// <exception cref="InputException">It can't be read, is too large or of another encoding, or the names can't be those of classes.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        try
        {
            var text = TextFile.Read(path, LongestFile, TextFile.StrictUtf8);
            return text.Contains('\0')
                ? throw NotText(path)
                : Checked([.. text.Split('\n', '\r').Select(line => line.Trim()).Where(line => line.Length > 0)], $"'{path}'");
        }
        catch (DecoderFallbackException exception)
        {
            throw NotText(path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The class names of '{path}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    // Which letter a byte of another encoding means stands nowhere.
    private static InputException NotText(string path, Exception? cause = null) => new($"The class names of '{path}' are not UTF-8 text: save the list as UTF-8.", cause);
}
