using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace WeakLink;

/// <summary>
/// The one place that reads YAML, which anybody may have written: one document of nested keys with words, numbers and lists of them. What
/// could grow beyond its text (anchors and aliases), nests without end or says a thing twice is refused before it does any harm.
/// </summary>
internal static class Yaml
{
    /// <summary>The longest text; the longest recipe that WeakLink writes has some four thousand characters.</summary>
    public const int MostCharacters = 1 << 20;

    private const int MostDepth = 16;

    /// <summary>A key with its value.</summary>
    /// <param name="Key">Its path, with dots.</param>
    /// <param name="Text">Its value; of a list the items with commas between.</param>
    /// <param name="Items">The items of a list; null where it is none.</param>
    /// <param name="Line">Where it stands, from 1.</param>
    public sealed record Entry(string Key, string Text, IReadOnlyList<string>? Items, long Line);

    /// <summary>Reads the keys of a document, in their order.</summary>
    /// <param name="text">The text.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="InputException">It is not YAML, or not of this simple kind; the line is named.</exception>
    public static IReadOnlyList<Entry> Read(string text, string origin)
    {
        var entries = new List<Entry>();
        Document(text, origin, parser =>
        {
            if (parser.Accept<Scalar>(out var nothing) && nothing.Value.Length == 0)
            {
                parser.MoveNext();
            }
            else if (parser.Accept<MappingStart>(out _))
            {
                Mapping(parser, "", 0, entries, []);
            }
            else
            {
                throw new InputException($"'{origin}' is not a recipe: it must hold 'key: value' lines.");
            }
        });
        return entries;
    }

    /// <summary>Reads a list as it stands in a document, such as <c>[crop, 'a, b']</c>.</summary>
    /// <exception cref="InputException">It is not one.</exception>
    public static IReadOnlyList<string> Items(string text, string origin)
    {
        IReadOnlyList<string> items = [];
        Document(text, origin, parser => items = Sequence(parser, origin));
        return items;
    }

    /// <summary>Text in quotes, so that any text survives being written and read.</summary>
    public static string Quoted(string text)
    {
        if (!text.Any(IsSpecial))
        {
            // A quote is doubled.
            return $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
        }

        var quoted = new StringBuilder("\"");
        foreach (var letter in text)
        {
            _ = letter is '"' or '\\' ? quoted.Append('\\').Append(letter)
                : IsSpecial(letter) ? quoted.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}")
                : quoted.Append(letter);
        }

        return quoted.Append('"').ToString();

        // What YAML reads as the end of a line, or not at all.
        static bool IsSpecial(char letter) => char.IsControl(letter) || letter is '\u2028' or '\u2029' or '\ufeff';
    }

    /// <summary>A list, so that any items survive being written and read.</summary>
    public static string Quoted(IEnumerable<string> items) => $"[{string.Join(", ", items.Select(Quoted))}]";

    private static void Document(string text, string origin, Action<IParser> read)
    {
        if (text.Length > MostCharacters)
        {
            throw new InputException(FormattableString.Invariant($"'{origin}' holds more than {MostCharacters:n0} characters, which no recipe needs: give another file."));
        }

        // The scanner would take it for the end, and not look at the rest.
        if (text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var nothing)
        {
            throw new InputException($"'{origin}' is not valid YAML at line {text.AsSpan(0, nothing).Count('\n') + 1}: it holds a null character, which is no text.");
        }

        var scanner = new Scanner(new StringReader(text));
        try
        {
            var parser = new Parser(scanner);
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return;
            }

            parser.Consume<DocumentStart>();
            read(parser);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
            {
                throw new Unwanted("a second document begins (---): leave one in the file");
            }
        }
        catch (Unwanted exception)
        {
            throw new InputException($"'{origin}', line {scanner.CurrentPosition.Line}: {exception.Message}.", exception);
        }
        // YamlDotNet throws InvalidOperationException, ArgumentException and others beside its own.
        catch (Exception exception) when (exception is not InputException)
        {
            var (line, why) = exception is YamlException known && known.Start.Line > 0
                ? (known.Start.Line, (known.InnerException ?? known).Message.TrimEnd('.'))
                : (scanner.CurrentPosition.Line, "a bracket or a quote may not be closed");
            // What is missing at the end is missed beyond it.
            var last = text.TrimEnd().Count(letter => letter == '\n') + 1;
            throw new InputException($"'{origin}' is not valid YAML at line {Math.Min(line, last)}: {why.ReplaceLineEndings(" ")}.", exception);
        }
    }

    private static void Mapping(IParser parser, string prefix, int depth, List<Entry> entries, Dictionary<string, long> lines)
    {
        if (depth == MostDepth)
        {
            throw new Unwanted($"keys are nested more than {MostDepth} deep, which no recipe is");
        }

        parser.Consume<MappingStart>();
        var here = new HashSet<string>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Plain(parser, "a key");
            var path = prefix.Length == 0 ? key.Value : $"{prefix}.{key.Value}";
            if (!here.Add(key.Value))
            {
                throw new Unwanted($"'{path}' is there a second time: leave one out");
            }

            if (parser.Accept<MappingStart>(out var section) && IsUnnamed(section))
            {
                Mapping(parser, path, depth + 1, entries, lines);
                continue;
            }

            // A key can be written nested or with dots.
            if (lines.TryGetValue(path, out var first))
            {
                throw new Unwanted($"'{path}' is there a second time (first in line {first}): leave one out");
            }

            lines[path] = key.Start.Line;
            if (parser.Accept<SequenceStart>(out _))
            {
                var items = Sequence(parser, path);
                entries.Add(new Entry(path, string.Join(',', items), items, key.Start.Line));
            }
            else
            {
                entries.Add(new Entry(path, Plain(parser, $"the value of '{path}'").Value, null, key.Start.Line));
            }
        }
    }

    private static string[] Sequence(IParser parser, string name)
    {
        var items = new List<string>();
        IsUnnamed(parser.Consume<SequenceStart>());
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Plain(parser, $"an item of '{name}'").Value);
        }

        // The empty array that an untouched list of a recipe is.
        return items.Count == 0 ? [] : items.ToArray();
    }

    private static Scalar Plain(IParser parser, string what)
    {
        if (parser.TryConsume<Scalar>(out var scalar) && IsUnnamed(scalar))
        {
            return scalar;
        }

        throw new Unwanted(parser.Accept<AnchorAlias>(out _) ? NoAliases : $"{what} must be a word or a number");
    }

    private const string NoAliases = "recipes know no anchors and aliases (& and *): write the value out, in quotes where it begins with one of them";

    private static bool IsUnnamed(NodeEvent node) => node.Anchor.IsEmpty ? true : throw new Unwanted(NoAliases);

    // Well-formed, but not what a recipe is made of.
    private sealed class Unwanted(string reason) : Exception(reason);
}
