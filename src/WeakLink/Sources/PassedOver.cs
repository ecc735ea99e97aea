using System.Globalization;

namespace WeakLink.Sources;

/// <summary>What lies in data folders and is not read as an image: how much of each kind, so that nothing is left out without a word.</summary>
public sealed class PassedOver
{
    private const string NoExtension = "without an extension";
    private const int MostKindsNamed = 12;

    // What to do about pictures that can't be read.
    private static readonly (string[] Extensions, string Remedy)[] Remedies =
    [
        ([".tif", ".tiff"], "mogrify -format png"),
        ([".heic", ".heif"], "mogrify -format jpg"),
        ([".avif", ".jxl", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".psd", ".ico", ".svg", ".eps"], "mogrify -format png"),
        ([".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".orf", ".rw2"], "a raw converter such as darktable"),
    ];

    private readonly Dictionary<string, (int Count, string Example)> _kinds = new(StringComparer.Ordinal);

    /// <summary>How many of each kind: an extension such as <c>.tif</c>, or words such as "links to images that are read already".</summary>
    public IReadOnlyDictionary<string, int> Counts => new SortedDictionary<string, int>(_kinds.ToDictionary(kind => kind.Key, kind => kind.Value.Count), StringComparer.Ordinal);

    /// <summary>Whether a file's name says that it is a picture of a kind that can't be read.</summary>
    internal static bool IsPicture(string path) => Remedies.Any(remedy => remedy.Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase));

    /// <summary>The kind that a file is counted as.</summary>
    internal static string KindOf(string path) => Path.GetExtension(path) is { Length: > 1 } extension ? extension.ToLowerInvariant() : NoExtension;

    /// <summary>Counts one.</summary>
    internal void Add(string kind, string path) => _kinds[kind] = _kinds.TryGetValue(kind, out var there) ? (there.Count + 1, there.Example) : (1, path);

    /// <summary>All of it in a sentence, with what to do about pictures; null where nothing was passed over.</summary>
    public string? Sentence()
    {
        if (_kinds.Count == 0)
        {
            return null;
        }

        var named = _kinds.OrderByDescending(kind => kind.Value.Count).ThenBy(kind => kind.Key, StringComparer.Ordinal).Take(MostKindsNamed)
            .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Key} ({kind.Value.Count:n0}{(kind.Value.Count == 1 ? ": " : ", such as ")}{OnOneLine(kind.Value.Example)})")).ToList();
        var renamed = _kinds.ContainsKey(FolderTree.UnreadableName) ? " convmv -f latin1 -t utf8 -r --notest FOLDER gives files names that can be opened." : "";
        var remedies = Remedies.Where(remedy => remedy.Extensions.Any(_kinds.ContainsKey))
            .Select(remedy => $"{string.Join(", ", remedy.Extensions.Where(_kinds.ContainsKey))} can be read after {remedy.Remedy}");
        return $"Passed over: {string.Join(", ", named)}{(_kinds.Count > named.Count ? $" and {_kinds.Count - named.Count} other kinds" : "")}.{string.Concat(remedies.Select(remedy => $" {remedy}."))}{renamed}";

        static string OnOneLine(string path) => string.Concat(path.Select(letter => char.IsControl(letter) ? '?' : letter));
    }
}
