using System.Text;

namespace WeakLink;

/// <summary>Comma-separated values (RFC 4180).</summary>
internal static class Csv
{
    /// <summary>A text as it stands between two commas.</summary>
    public static string Cell(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    /// <summary>The rows of a table, and the line that each begins in, counted from 1; empty lines are none.</summary>
    /// <param name="text">The table.</param>
    /// <param name="separator">What stands between two cells: a comma, or a tab.</param>
    /// <param name="origin">Where it is from, for messages.</param>
    /// <exception cref="InputException">A cell that begins with a quotation mark does not end with one.</exception>
    public static IEnumerable<(int Line, IReadOnlyList<string> Cells)> Rows(string text, char separator, string origin)
    {
        var (line, place) = (1, 0);
        while (place < text.Length)
        {
            var (first, cells) = (line, new List<string>());
            do
            {
                cells.Add(place < text.Length && text[place] == '"' ? Quoted(text, origin, ref place, ref line) : Plain(text, separator, ref place));
                if (place < text.Length && text[place] is var next && next != separator && next is not ('\r' or '\n'))
                {
                    throw new InputException($"'{origin}' has text behind a closing quotation mark in line {line}: write a quotation mark within quotation marks twice.");
                }
            }
            while (place < text.Length && text[place++] == separator);
            if (place < text.Length && text[place - 1] == '\r' && text[place] == '\n')
            {
                place++;
            }

            line++;
            if (cells is not [{ Length: 0 }])
            {
                yield return (first, cells);
            }
        }
    }

    private static string Plain(string text, char separator, ref int place)
    {
        var length = text.AsSpan(place).IndexOfAny(separator, '\r', '\n');
        var cell = length < 0 ? text[place..] : text.Substring(place, length);
        place += cell.Length;
        return cell;
    }

    private static string Quoted(string text, string origin, ref int place, ref int line)
    {
        var (cell, first) = (new StringBuilder(), line);
        for (place++; place < text.Length; place++)
        {
            if (text[place] == '"' && (++place == text.Length || text[place] != '"'))
            {
                return cell.ToString();
            }

            line += text[place] == '\n' ? 1 : 0;
            cell.Append(text[place]);
        }

        throw new InputException($"'{origin}' has a quotation mark in line {first} that nothing closes: close it.");
    }
}
