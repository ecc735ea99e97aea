using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace WeakLink;

/// <summary>
/// How WeakLink writes JSON (camelCase keys; numbers that JSON can't hold, NaN, as strings), and the one place that reads it: what is too
/// long or too deep, lacks something, holds null where a value belongs or a number beyond its <see cref="LimitsAttribute"/> is refused.
/// </summary>
public static class Json
{
    // The progress of an attack on some million images is the longest that is read.
    private const int MostCharacters = 1 << 26;
    private const int MostDepth = 32;
    private const string Checksum = "checksum";

    /// <summary>One value a line, for people to read too.</summary>
    public static JsonSerializerOptions Indented { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The same with enumerations by name.</summary>
    internal static JsonSerializerOptions Named { get; } = new(Indented)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>One document a line.</summary>
    public static JsonSerializerOptions Line { get; } = new(Indented) { WriteIndented = false };

    private static JsonDocumentOptions Strict { get; } = new() { AllowDuplicateProperties = false, MaxDepth = MostDepth };

    private static JsonSerializerOptions Reading { get; } = new(Named)
    {
        AllowDuplicateProperties = false,
        MaxDepth = MostDepth,
        RespectNullableAnnotations = true,
        // What may be null may be missing, too: older versions did not write it.
        TypeInfoResolver = new DefaultJsonTypeInfoResolver
        {
            Modifiers =
            {
                type =>
                {
                    foreach (var property in type.Properties.Where(property => property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false }))
                    {
                        property.IsRequired = true;
                    }
                },
            },
        },
    };

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It is not what WeakLink writes there; <see cref="Problem"/> says why.</exception>
    internal static T Parse<T>(string text)
    {
        try
        {
            var value = JsonSerializer.Deserialize<T>(text, Reading);
            Check(value, "");
            return value!;
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidOperationException or ArgumentException or FormatException or OverflowException or InputException)
        {
            throw new Refused(exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>What another process of this very program wrote in <see cref="Line"/>, in memory: taken as it is, null included.</summary>
    internal static T Received<T>(ReadOnlySpan<byte> text) => JsonSerializer.Deserialize<T>(text, Line)!;

    /// <summary>Reads a file that holds one document.</summary>
    /// <exception cref="JsonException">As <see cref="Parse"/>.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    internal static T Read<T>(string path) => Parse<T>(Text(path));

    /// <summary>A document with a checksum of everything else in it, which spaces and line ends do not touch.</summary>
    internal static string Sealed<T>(T value)
    {
        var document = JsonSerializer.SerializeToNode(value, Named)!.AsObject();
        document[Checksum] = ChecksumOf(document);
        return document.ToJsonString(Indented);
    }

    /// <summary>Reads a file that <see cref="Sealed"/> made, or an older version without a checksum.</summary>
    /// <param name="path">The file.</param>
    /// <param name="since">A key that every version with a checksum writes: with it alone, the checksum's own name was changed.</param>
    /// <exception cref="JsonException">As <see cref="Parse"/>, or the document was changed after it was written.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    internal static T ReadSealed<T>(string path, string since)
    {
        var text = Text(path);
        if (!Strictly(() => IsAsSealed(text, since)))
        {
            throw new Refused($"its {Checksum} does not match its content, so it was changed after it was written");
        }

        return Parse<T>(text);
    }

    /// <summary>A document whose parts are looked at one by one.</summary>
    /// <exception cref="JsonException">It is not JSON, names something twice, or is nested too deeply.</exception>
    internal static JsonDocument Document(ReadOnlyMemory<byte> text) => Strictly(() => JsonDocument.Parse(text, Strict));

    /// <summary>Why a document can't be read, as a part of a sentence; without the names of types that <see cref="JsonException"/> brings.</summary>
    internal static string Problem(Exception exception) => exception switch
    {
        Refused => exception.Message,
        JsonException { Path: { } place, LineNumber: { } line } when place.Length > 2 => $"'{place[2..]}' in line {line + 1} is not what WeakLink writes there",
        JsonException => "it is not the JSON that WeakLink writes",
        _ => exception.Message.TrimEnd('.'),
    };

    // Half of a surrogate pair in a key, written as \ud800, is no text: System.Text.Json says so with an exception of another kind.
    private static T Strictly<T>(Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (InvalidOperationException exception)
        {
            throw new Refused("it holds text that is none", exception);
        }
    }

    private static string Text(string path)
    {
        try
        {
            return TextFile.Read(path, MostCharacters);
        }
        catch (InputException exception)
        {
            throw new Refused("it is longer than anything that WeakLink writes", exception);
        }
    }

    private static bool IsAsSealed(string text, string since) =>
        JsonNode.Parse(text, documentOptions: Strict) is not JsonObject document
        || !(document.Remove(Checksum, out var written) || document.ContainsKey(since))
        || (written is JsonValue value && value.TryGetValue<string>(out var checksum) && checksum == ChecksumOf(document));

    private static string ChecksumOf(JsonObject document) => ShortHash.Of(document.ToJsonString(Line));

    // The deserialiser knows which properties may be null, but not what a list may hold, and no limits.
    private static void Check(object? value, string place)
    {
        switch (value)
        {
            case null:
                throw new Refused(place.Length > 0 ? $"'{place}' holds null" : "it holds null");
            case string:
                break;
            case Enum choice:
                Require(Enum.IsDefined(choice.GetType(), choice), place, "one of its choices");
                break;
            case IDictionary map:
                foreach (DictionaryEntry entry in map)
                {
                    Check(entry.Value, $"{place}.{entry.Key}");
                }

                break;
            case IEnumerable items:
                foreach (var item in items)
                {
                    Check(item, place);
                }

                break;
            case var record when record.GetType().Assembly == typeof(Json).Assembly:
                foreach (var property in record.GetType().GetProperties().Where(property => property.CanWrite))
                {
                    var name = JsonNamingPolicy.CamelCase.ConvertName(property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name);
                    var (its, inner) = (place.Length > 0 ? $"{place}.{name}" : name, property.GetValue(record));
                    if (property.GetCustomAttribute<LimitsAttribute>() is { } limits)
                    {
                        Require(limits.Hold(inner), its, limits.ToString());
                    }

                    if (inner is not null)
                    {
                        Check(inner, its);
                    }
                }

                break;
        }

        static void Require(bool holds, string place, string allowed)
        {
            if (!holds)
            {
                throw new Refused($"'{place}' must be {allowed}");
            }
        }
    }

    private sealed class Refused(string reason, Exception? inner = null) : JsonException(reason, inner);
}
