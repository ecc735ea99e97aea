using System.Globalization;

namespace WeakLink;

/// <summary>
/// Text out of files that anybody may have written (names of classes, folders, keys) as a terminal is shown it: control characters, which could move its cursor or break
/// the line or turn the direction of what follows, are written out (<c>\u001b</c>).
/// </summary>
internal static class Printable
{
    /// <summary>The text on one line, without control characters.</summary>
    public static string Of(string text) =>
        text.Any(IsControl) ? string.Concat(text.Select(letter => IsControl(letter) ? FormattableString.Invariant($"\\u{(int)letter:x4}") : letter.ToString())) : text;

    private static bool IsControl(char letter) =>
        char.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || letter is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
