namespace WeakLink;

/// <summary>Comma-separated values (RFC 4180).</summary>
internal static class Csv
{
    /// <summary>A text as it stands between two commas.</summary>
    public static string Cell(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
