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
}
