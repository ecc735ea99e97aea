using System.Globalization;
using System.Text;
using System.Text.Json;

namespace WeakLink.Sources;

/// <summary>
/// A list of images: a table (<c>.csv</c>, or <c>.tsv</c> with tabs) whose first line names its columns, or JSON lines (<c>.jsonl</c>). Each names a file, its label
/// and, where it says so, the split that it belongs to; other columns are not looked at.
/// </summary>
internal static class ImageList
{
    // Ten million images with paths of 25 characters.
    private const int MostCharacters = 1 << 28;

    // What lists in use call them; the first is what messages do.
    private static readonly string[] FileKeys = ["file", "path", "image", "file_name", "filename", "file_path", "filepath", "image_path"];
    private static readonly string[] LabelKeys = ["label", "class", "class_name", "category", "target"];
    private static readonly string[] SplitKeys = ["split", "subset", "partition"];

    /// <summary>Whether the file's name says that it is a list.</summary>
    public static bool IsList(string path) => Separator(path) is not null || IsLines(path);

    /// <summary>What to call the data of a list.</summary>
    public static string NameOf(string list) => Path.GetFileNameWithoutExtension(list);

    /// <summary>Reads a list.</summary>
    /// <param name="path">The list. Paths in it are relative to its folder.</param>
    /// <returns>
    /// The images of each split by class; of the training split alone where none is named. Classes are in ordinal order, or by number where all are numbers.
    /// </returns>
    /// <exception cref="InputException">It can't be read, lacks a column or a value, names a split that is none, or an image twice.</exception>
    public static SplitImages Read(string path)
    {
        var entries = Entries(path).ToList();
        if (entries.Count == 0)
        {
            throw new InputException($"'{path}' lists no images: give it a line for each, with its {FileKeys[0]} and its {LabelKeys[0]}.");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var images = new List<(string? Split, string Label, string File)>();
        foreach (var entry in entries)
        {
            var file = Path.GetFullPath(entry.File, folder);
            if (!lines.TryAdd(file, entry.Line))
            {
                throw new InputException($"'{path}' names '{entry.File}' in line {lines[file]} and in line {entry.Line}: keep one of them, as an image has one class and one split.");
            }

            images.Add((entry.Split is { } split ? FolderLayout.Kind(split) ?? throw new InputException($"'{path}' has '{split}' in line {entry.Line} for a split, which is none: write train, val or test.") : null, entry.Label, file));
        }

        if (images.FindIndex(image => image.Split is null) is >= 0 and var without && images.Exists(image => image.Split is not null))
        {
            throw new InputException($"'{path}' gives no split in line {entries[without].Line}, but does in others: write train, val or test in each, or in none.");
        }

        var parts = images.GroupBy(image => image.Split ?? FolderLayout.TrainKind).ToDictionary(part => part.Key, part => Part(path, part.Select(image => (image.Label, image.File))));
        return new SplitImages(parts.GetValueOrDefault(FolderLayout.TrainKind), parts.GetValueOrDefault(FolderLayout.ValidationKind), parts.GetValueOrDefault(FolderLayout.TestKind));
    }

    private static FolderPart Part(string path, IEnumerable<(string Label, string File)> images)
    {
        var classes = images.GroupBy(image => image.Label, image => image.File).Select(its => (its.Key, (IReadOnlyList<string>)[.. its.Order(StringComparer.Ordinal)])).ToList();
        return new FolderPart(path, classes.TrueForAll(its => IsNumber(its.Key))
            ? [.. classes.OrderBy(its => its.Key.Length).ThenBy(its => its.Key, StringComparer.Ordinal)]
            : [.. classes.OrderBy(its => its.Key, StringComparer.Ordinal)]);
    }

    // As labels are counted: 007 is a name.
    private static bool IsNumber(string label) => label.All(char.IsAsciiDigit) && (label.Length == 1 || label[0] != '0');

    private static char? Separator(string path) => Path.GetExtension(path).ToLowerInvariant() switch { ".csv" => ',', ".tsv" => '\t', _ => null };

    private static bool IsLines(string path) => Path.GetExtension(path).ToLowerInvariant() is ".jsonl" or ".ndjson";

    private static IEnumerable<Entry> Entries(string path)
    {
        try
        {
            var text = TextFile.Read(path, MostCharacters, TextFile.StrictUtf8);
            return Separator(path) is { } separator ? OfTable(path, text, separator) : OfLines(path, text);
        }
        catch (DecoderFallbackException exception)
        {
            throw new InputException($"The list '{path}' is not UTF-8 text: save it as UTF-8.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The list '{path}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    private static IEnumerable<Entry> OfTable(string path, string text, char separator)
    {
        var places = (File: -1, Label: -1, Split: -1);
        foreach (var (line, cells) in Csv.Rows(text, separator, path))
        {
            if (places.File < 0)
            {
                places = (Column(FileKeys), Column(LabelKeys), Column(SplitKeys));
                if (places.File < 0 || places.Label < 0)
                {
                    throw new InputException($"'{path}' has no column {(places.File < 0 ? FileKeys[0] : LabelKeys[0])}, but {string.Join(", ", cells)}: let its first line name the columns, {FileKeys[0]} and {LabelKeys[0]} among them.");
                }

                continue;
            }

            yield return Checked(path, line, Cell(places.File), Cell(places.Label), places.Split < 0 ? null : Cell(places.Split));

            string Cell(int place) => place < cells.Count ? cells[place] : "";

            int Column(string[] keys) => keys.Select(key => cells.ToList().FindIndex(cell => cell.Trim().Equals(key, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(place => place >= 0, -1);
        }
    }

    private static IEnumerable<Entry> OfLines(string path, string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return OfLine(path, number, line);
            }
        }
    }

    private static Entry OfLine(string path, int number, string line)
    {
        try
        {
            using var document = Json.Document(Encoding.UTF8.GetBytes(line));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Checked(path, number, Value(FileKeys) ?? "", Value(LabelKeys) ?? "", Value(SplitKeys))
                : throw NoObject(null);

            string? Value(string[] keys) => keys.Select(key => document.RootElement.TryGetProperty(key, out var value) ? Text(value) : null).FirstOrDefault(value => value is not null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair is no text, says the latter.
            throw NoObject(exception);
        }

        InputException NoObject(Exception? cause) => new($"'{path}' has no JSON object in line {number}: write one a line, such as {{\"{FileKeys[0]}\": \"images/1.jpg\", \"{LabelKeys[0]}\": \"cat\"}}.", cause);
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        JsonValueKind.Null => null,
        _ => throw new JsonException(),
    };

    private static Entry Checked(string path, int line, string file, string label, string? split)
    {
        (file, label, split) = (file.Trim(), label.Trim(), split?.Trim());
        return file.Length == 0 || file.Contains('\0', StringComparison.Ordinal) ? throw new InputException($"'{path}' names no file in line {line}: give its path, relative to the list's folder.")
            : label.Length == 0 || label.Contains('\0', StringComparison.Ordinal) ? throw new InputException($"'{path}' gives '{file}' no label in line {line}: name its class, or leave the line out.")
            : new Entry(line, file, label, split);
    }

    private sealed record Entry(int Line, string File, string Label, string? Split);
}
