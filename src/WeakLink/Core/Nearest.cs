namespace WeakLink;

/// <summary>Finds what a mistyped name was meant to be.</summary>
internal static class Nearest
{
    // Nobody mistypes more, but a damaged file may hold a name of its whole length.
    private const int Longest = 100;

    /// <summary>The known name with the smallest edit distance (Levenshtein 1966) to the given one.</summary>
    public static string To(string name, IEnumerable<string> known)
    {
        var compared = name[..Math.Min(name.Length, Longest)];
        return known.MinBy(candidate => Distance(compared, candidate))!;
    }

    /// <summary>The same where about a third of the letters is wrong at most; null where none is so near: what is farther away would only mislead.</summary>
    public static string? Close(string name, IEnumerable<string> known) =>
        To(name, known) is { } nearest && 3 * Distance(name[..Math.Min(name.Length, Longest)], nearest) <= name.Length + 1 ? nearest : null;

    /// <summary>How many letters must be changed, added or left out.</summary>
    public static int Distance(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var current = new int[b.Length + 1];
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + change);
            }

            previous = current;
        }

        return previous[b.Length];
    }
}
