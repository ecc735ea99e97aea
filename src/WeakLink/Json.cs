using System.Text.Json;

namespace WeakLink;

/// <summary>How WeakLink writes JSON: camelCase keys; numbers that JSON can't hold (NaN) as strings.</summary>
public static class Json
{
    /// <summary>One value a line, for people to read too.</summary>
    public static JsonSerializerOptions Indented { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The same with enumerations by name.</summary>
    internal static JsonSerializerOptions Named { get; } = new(Indented)
    {
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>One document a line.</summary>
    public static JsonSerializerOptions Line { get; } = new(Indented) { WriteIndented = false };

    /// <summary>Why a document can't be read, as a part of a sentence; without the names of types that <see cref="JsonException"/> brings.</summary>
    internal static string Problem(Exception exception) => exception switch
    {
        JsonException { Path: { } place, LineNumber: { } line } when place.Length > 2 => $"'{place[2..]}' in line {line + 1} is not what WeakLink writes there",
        JsonException => "it is not the JSON that WeakLink writes",
        _ => exception.Message.TrimEnd('.'),
    };
}
