using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace WeakLink;

/// <summary>XXH64, as 16 hexadecimal digits: tells damage and differences, and guards against nobody.</summary>
internal static class ShortHash
{
    /// <summary>Of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => XxHash64.HashToUInt64(bytes).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Of a text, as UTF-8.</summary>
    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));
}
