using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;

namespace WeakLink.Fuzzing;

/// <summary>Damages files, each number in a way of its own that follows from the reader, the seed and the number alone.</summary>
/// <param name="samples">The valid files.</param>
/// <param name="isText">Whether to change words and lines more often than bytes.</param>
internal sealed partial class Mutation(IReadOnlyList<byte[]> samples, bool isText)
{
    private const int MostChanges = 4;
    private const int LargestFile = 1 << 18;

    // Where sizes, counts and signs turn.
    private static readonly long[] Integers =
    [
        0, 1, -1, 2, 7, 8, 16, 127, 128, 255, 256, 1000, 4096, short.MaxValue, short.MinValue, ushort.MaxValue, 1 << 16, 1 << 20, 1 << 24, int.MaxValue - 1, int.MaxValue, int.MinValue,
        uint.MaxValue, 1L << 32, 1L << 40, 1L << 53, long.MaxValue / 8, long.MaxValue - 1, long.MaxValue, long.MinValue,
    ];

    private static readonly string[] Numbers =
    [
        "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e39", "1e-300", "-0", "0.5", "63", "1e9", "99999999999999999999", "0x10", "007",
    ];

    private static readonly string[] Words =
    [
        .. Numbers, "null", "true", "false", "~", "\"\"", "''", "[]", "{}", "[[]]", "{\"a\":1}", "[null]", "[1,2,3]", ":", ": ", "-", "- ", ",", "[", "]", "{", "}", "(", ")", "\"", "'", "&a", "*a", "&a [*a]", "<<: *a", "!!binary AA", "!!int x", "!<tag>", "---", "...", "%YAML 9.9", "? ", "|", ">", "#", "\t", "\n", "\r\n", "\n\n", "  ", "\0", "\u001b[2J", "\\u0000",
        "\\ud800", "\uFEFF", "\u2028", "é", "..", "../../x", "/", "/dev/null", "CON", "a.b.c", "=", "==", "__metadata__",
    ];

    /// <summary>A damaged file.</summary>
    /// <param name="reader">Name of the reader.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="number">Which one, from 0.</param>
    public byte[] Create(string reader, long seed, long number)
    {
        var key = Encoding.UTF8.GetBytes(FormattableString.Invariant($"{reader} {seed} {number}"));
        var random = new Random(unchecked((int)XxHash3.HashToUInt64(key)));
        var bytes = (byte[])Any(random).Clone();
        // A single change gets farther, several meet each other.
        for (var changes = random.Next(2) == 0 ? 1 : 1 + random.Next(MostChanges); changes > 0; changes--)
        {
            bytes = random.Next(10) < (isText ? 7 : 2) ? ChangeText(bytes, random) : ChangeBytes(bytes, random);
        }

        return bytes.Length <= LargestFile ? bytes : bytes[..LargestFile];
    }

    private byte[] Any(Random random) => samples[random.Next(samples.Count)];

    private byte[] ChangeBytes(byte[] bytes, Random random)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        // Damage near the beginning, where headers are, is met as often as that anywhere.
        var at = random.Next(3) == 0 ? random.Next(Math.Min(bytes.Length, 64)) : random.Next(bytes.Length);
        var length = Math.Min(1 + (int)Math.Pow(2, random.NextDouble() * 12), bytes.Length - at);
        var part = bytes.AsSpan(at, length);
        switch (random.Next(14))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 3:
                bytes[at] += (byte)(random.Next(2) == 0 ? 1 : 255);
                return bytes;
            case 4 or 5:
                Put(bytes, random.Next(2) == 0 ? at & ~7 : at, Integers[random.Next(Integers.Length)], random);
                return bytes;
            case 6:
                return bytes[..at];
            case 7:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
            case 8:
                var noise = new byte[length];
                random.NextBytes(noise);
                return [.. bytes.AsSpan(0, at), .. noise, .. bytes.AsSpan(at)];
            case 9:
                return [.. bytes.AsSpan(0, at), .. part, .. bytes.AsSpan(at)];
            case 10:
                part.ToArray().CopyTo(bytes, random.Next(bytes.Length - length + 1));
                return bytes;
            case 11:
                part.Fill(random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) });
                return bytes;
            case 12:
                var other = random.Next(bytes.Length - length + 1);
                var kept = part.ToArray();
                var moved = bytes.AsSpan(other, length).ToArray();
                moved.CopyTo(bytes, at);
                kept.CopyTo(bytes, other);
                return bytes;
            default:
                var second = Any(random);
                var from = random.Next(2) == 0 ? Math.Min(at, second.Length) : random.Next(second.Length + 1);
                return [.. bytes.AsSpan(0, at), .. second.AsSpan(from)];
        }
    }

    private static void Put(byte[] bytes, int at, long value, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        var length = 1 << random.Next(4);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
            number = number[..length];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            number = number[^length..];
        }

        number[..Math.Min(length, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
    }

    // Latin-1 keeps every byte what it is.
    private byte[] ChangeText(byte[] bytes, Random random)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var tokens = Tokens().Matches(text);
        if (tokens.Count == 0)
        {
            return ChangeBytes(bytes, random);
        }

        var token = tokens[random.Next(tokens.Count)];
        // Values are rarer than what stands around them.
        for (var tries = random.Next(5); tries > 0 && !char.IsAsciiDigit(token.Value[0]); tries--)
        {
            token = tokens[random.Next(tokens.Count)];
        }

        var (before, after) = (text[..token.Index], text[(token.Index + token.Length)..]);
        return Encoding.Latin1.GetBytes(random.Next(12) switch
        {
            0 or 1 => before + Alike(token.Value, random) + after,
            2 => before + Word(random) + after,
            3 => before + Word(random) + token.Value + after,
            4 or 5 => before + after,
            6 => before + token.Value + token.Value + after,
            7 => before + tokens[random.Next(tokens.Count)].Value + after,
            8 => ChangeLines(text, random),
            9 => before + Nested(random) + after,
            10 => before + string.Concat(Enumerable.Repeat(token.Value, 1 << random.Next(10))) + after,
            _ => random.Next(20) == 0 ? Aliases(random) + text : before + Nested(random) + token.Value + after,
        });
    }

    // What the grammar takes in the same place.
    private static string Alike(string token, Random random) => token[0] switch
    {
        '"' or '\'' => token[0] + Word(random).Trim('"', '\'') + token[0],
        >= '0' and <= '9' or '-' => random.Next(3) switch
        {
            0 => Integers[random.Next(Integers.Length)].ToString(System.Globalization.CultureInfo.InvariantCulture),
            1 => Numbers[random.Next(Numbers.Length)],
            _ => (random.NextDouble() * Math.Pow(10, random.Next(-3, 4))).ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        },
        _ => Word(random),
    };

    private static string Word(Random random) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(
        random.Next(4) == 0 ? Integers[random.Next(Integers.Length)].ToString(System.Globalization.CultureInfo.InvariantCulture) : Words[random.Next(Words.Length)]));

    private string ChangeLines(string text, Random random)
    {
        var lines = text.Split('\n').ToList();
        var (line, other) = (random.Next(lines.Count), random.Next(lines.Count));
        switch (random.Next(5))
        {
            case 0:
                lines.RemoveAt(line);
                break;
            case 1:
                lines.Insert(other, lines[line]);
                break;
            case 2:
                (lines[line], lines[other]) = (lines[other], lines[line]);
                break;
            case 3:
                lines[line] = new string(' ', random.Next(9)) + lines[line].TrimStart();
                break;
            default:
                var foreign = Encoding.Latin1.GetString(Any(random)).Split('\n');
                lines.Insert(other, foreign[random.Next(foreign.Length)]);
                break;
        }

        return string.Join('\n', lines);
    }

    private static string Nested(Random random)
    {
        var depth = 1 << random.Next(16);
        var (open, close) = random.Next(6) switch
        {
            0 => ("[", "]"),
            1 => ("{a: ", "}"),
            2 => ("{\"a\":", "}"),
            3 => ("- ", ""),
            4 => ("(", ")"),
            _ => ("? ", ""),
        };
        return string.Concat(Enumerable.Repeat(open, depth)) + (random.Next(2) == 0 ? "" : string.Concat(Enumerable.Repeat(close, depth)));
    }

    // Each line refers to the one before several times: what they stand for doubles and doubles.
    private static string Aliases(Random random)
    {
        var text = new StringBuilder("a0: &a0 [x, x]\n");
        for (var level = 1; level < 4 + random.Next(24); level++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{level}: &a{level} [*a{level - 1}, *a{level - 1}, *a{level - 1}]\n");
        }

        return text.ToString();
    }

    [GeneratedRegex("""-?[0-9][0-9.eE+-]*|[A-Za-z_][A-Za-z0-9_-]*|"[^"\n]*"|'[^'\n]*'|[^\sA-Za-z0-9]|\n *""")]
    private static partial Regex Tokens();
}
