using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using WeakLink.Attacks;

namespace WeakLink.Recipes;

/// <summary>
/// Recipes as YAML: nested keys in kebab-case, named after the properties of <see cref="Recipe"/>. A file gives what differs from
/// the defaults; <c>key=value</c> overrides come on top; unknown keys are errors.
/// </summary>
public static partial class RecipeFile
{
    private const string ResourcePrefix = "recipes/";
    private const string ResourceSuffix = ".yaml";
    private const string Override = "--set";

    private static Assembly Assembly => typeof(RecipeFile).Assembly;

    /// <summary>Reads a recipe and checks it.</summary>
    /// <param name="nameOrPath">A file, or the name of a recipe that comes with WeakLink.</param>
    /// <param name="overrides">Each <c>key=value</c>, such as <c>ews.width=0.5</c>.</param>
    /// <exception cref="InputException">No such recipe, broken YAML, an unknown key (the nearest is named), a value that is not allowed.</exception>
    public static Recipe Load(string nameOrPath, IEnumerable<string> overrides)
    {
        if (File.Exists(nameOrPath))
        {
            string text;
            try
            {
                text = TextFile.Read(nameOrPath, Yaml.MostCharacters);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"The recipe '{nameOrPath}' can't be read ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
            }

            // Not every default at once, for hours: a file that was cut off is empty, too.
            return Yaml.Read(text, nameOrPath).Count > 0
                ? Parse(text, nameOrPath, overrides)
                : throw new InputException($"The recipe '{nameOrPath}' is empty: give a file with 'key: value' lines, or the name of a recipe ({string.Join(", ", Names)}).");
        }

        using var embedded = Assembly.GetManifestResourceStream(ResourcePrefix + nameOrPath + ResourceSuffix)
            ?? throw new InputException($"There is no recipe '{nameOrPath}': give a file or one of {string.Join(", ", Names)} (did you mean {Nearest.To(nameOrPath, Names)}?).");
        using var reader = new StreamReader(embedded);
        return Parse(reader.ReadToEnd(), $"recipe {nameOrPath}", overrides);
    }

    /// <summary>Names of the recipes that come with WeakLink.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)).Select(name => name[ResourcePrefix.Length..^ResourceSuffix.Length]).Order(StringComparer.Ordinal)];

    /// <summary>Reads a recipe from text.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <param name="overrides">Each <c>key=value</c>.</param>
    /// <exception cref="InputException">As <see cref="Load"/>.</exception>
    public static Recipe Parse(string yaml, string origin, IEnumerable<string>? overrides = null)
    {
        var values = new Dictionary<string, Setting>(StringComparer.Ordinal);
        foreach (var entry in Yaml.Read(yaml, origin))
        {
            values[entry.Key] = new Setting(entry.Text, entry.Items, $"{origin}, line {entry.Line}");
        }

        var below = values.ToDictionary();
        foreach (var pair in overrides ?? [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new InputException($"'{pair}' is not of the form key=value, such as ews.width=0.5.");
            }

            // Not trimmed: a folder's name may begin or end with a space.
            values[pair[..equals].Trim()] = new Setting(pair[(equals + 1)..], null, Override);
        }

        TakeFormerKeys(values);
        var known = Keys(new Recipe(), "").Select(key => key.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in values)
        {
            // A section may be left empty.
            if (!known.Contains(key) && (value.Text.Length > 0 || !known.Any(name => name.StartsWith(key + ".", StringComparison.Ordinal))))
            {
                throw new InputException($"{value.Origin}: there is no recipe key '{key}'; did you mean '{Nearest.To(key, known)}'?");
            }
        }

        var recipe = (Recipe)Build(typeof(Recipe), "", values);
        RecipeCheck.Check(recipe, key => values.TryGetValue(key, out var value) ? value.Origin : origin, IsForItsNorm);
        return recipe;

        // A size of one norm says nothing in another: who names or changes the norm names the size there too.
        bool IsForItsNorm(string norm, string size)
        {
            var linf = Kebab(nameof(Norm.Linf));
            var (now, before) = (Named(values, norm) ?? linf, Named(below, norm) ?? linf);
            return (now == before || (values.TryGetValue(size, out var its) && its.Origin == Override)) && (now == linf || values.ContainsKey(size));
        }

        static string? Named(Dictionary<string, Setting> values, string key) => values.TryGetValue(key, out var value) ? value.Text.Trim().ToLowerInvariant() : null;
    }

    /// <summary>The whole recipe as YAML, every key resolved, in a stable order.</summary>
    public static string ToYaml(Recipe recipe)
    {
        var text = new StringBuilder();
        Write(text, recipe, 0);
        return text.ToString();
    }

    /// <summary>Every key with its default as text and its type, in the order of the records.</summary>
    public static IReadOnlyList<(string Name, string Default, PropertyInfo Property)> AllKeys() =>
        [.. Keys(new Recipe(), "").Select(key => (key.Name, Text(key.Value), key.Property))];

    /// <summary>Every key of a recipe with its value as text, in the order of the records.</summary>
    public static IReadOnlyList<(string Name, string Value)> ValuesOf(Recipe recipe) => [.. Keys(recipe, "").Select(key => (key.Name, Text(key.Value)))];

    /// <summary>A list as the value of an override, so that any items survive: <c>data.extra=['a, b', c]</c>.</summary>
    public static string ListText(IEnumerable<string> items) => Yaml.Quoted(items);

    /// <summary>Every key with its property and its value, in the order of the records.</summary>
    internal static IEnumerable<(string Name, PropertyInfo Property, object? Value)> KeysOf(Recipe recipe) => Keys(recipe, "");

    private static IEnumerable<(string Name, PropertyInfo Property, object? Value)> Keys(object section, string prefix)
    {
        foreach (var property in Properties(section.GetType()))
        {
            var name = prefix + Kebab(property.Name);
            var value = property.GetValue(section);
            if (IsSection(property.PropertyType))
            {
                foreach (var key in Keys(value!, name + "."))
                {
                    yield return key;
                }
            }
            else
            {
                yield return (name, property, value);
            }
        }
    }

    // Runs and checkpoints of version 0.1.0 before sequences: flip was a switch.
    private static void TakeFormerKeys(Dictionary<string, Setting> values)
    {
        if (values.Remove("augmentation.flip", out var flip) && flip.Text == "false")
        {
            values.TryAdd("augmentation.sequence", flip with { Text = AugmentationSequence.Crop });
        }
    }

    private static object Build(Type type, string prefix, Dictionary<string, Setting> values)
    {
        var section = Activator.CreateInstance(type)!;
        foreach (var property in Properties(type))
        {
            var name = prefix + Kebab(property.Name);
            if (IsSection(property.PropertyType))
            {
                property.SetValue(section, Build(property.PropertyType, name + ".", values));
            }
            else if (values.TryGetValue(name, out var value))
            {
                property.SetValue(section, Value(property, name, value));
            }
        }

        return section;
    }

    private static object Value(PropertyInfo property, string key, Setting setting)
    {
        var type = property.PropertyType;
        if (type == typeof(string))
        {
            return setting.Text;
        }

        if (type == typeof(IReadOnlyList<double>))
        {
            return Items(key, setting).Select(item => (double)Value(typeof(double), property, key, item, setting.Origin)).ToArray();
        }

        return type == typeof(IReadOnlyList<string>) ? Items(key, setting) : Value(type, property, key, setting.Text.Trim(), setting.Origin);
    }

    // A list in brackets is one of YAML; without them, commas are between the items.
    private static IReadOnlyList<string> Items(string key, Setting setting) => setting.Items
        ?? (setting.Text.TrimStart().StartsWith('[')
            ? Yaml.Items(setting.Text, $"{setting.Origin} {key}")
            : setting.Text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static object Value(Type type, PropertyInfo property, string key, string text, string origin)
    {
        if (type.IsEnum)
        {
            var choices = Enum.GetNames(type).ToDictionary(Kebab, StringComparer.OrdinalIgnoreCase);
            return choices.TryGetValue(text, out var choice)
                ? Enum.Parse(type, choice)
                : throw new InputException($"{origin}: {key} can't be '{text}'; choose {string.Join(", ", choices.Keys)}.");
        }

        if (type == typeof(bool) && bool.TryParse(text, out var flag))
        {
            return flag;
        }

        if (type == typeof(int) && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var integer))
        {
            return integer;
        }

        if (type == typeof(long) && long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var large))
        {
            return large;
        }

        if (type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            return number;
        }

        var kind = type == typeof(bool) ? "true or false" : type == typeof(double) ? "a number" : "a whole number";
        var limits = property.GetCustomAttribute<LimitsAttribute>() is { } declared ? $" {declared}" : "";
        throw new InputException($"{origin}: {key} must be {kind}{limits}, not '{text}'.");
    }

    private static void Write(StringBuilder text, object section, int depth)
    {
        foreach (var property in Properties(section.GetType()))
        {
            text.Append(' ', 2 * depth).Append(Kebab(property.Name)).Append(':');
            var value = property.GetValue(section);
            if (IsSection(property.PropertyType))
            {
                text.Append('\n');
                Write(text, value!, depth + 1);
            }
            else if (value is string words)
            {
                text.Append(' ').Append(Yaml.Quoted(words)).Append('\n');
            }
            else if (value is IEnumerable<string> items)
            {
                text.Append(' ').Append(Yaml.Quoted(items)).Append('\n');
            }
            else
            {
                text.Append(' ').Append(value is IEnumerable ? $"[{Text(value)}]" : Text(value)).Append('\n');
            }
        }
    }

    private static string Text(object? value) => value switch
    {
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IEnumerable<string> items => string.Join(", ", items),
        IEnumerable<double> numbers => string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))),
        Enum choice => Kebab(choice.ToString()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static bool IsSection(Type type) => type.IsClass && type.Name.EndsWith("Recipe", StringComparison.Ordinal);

    private static IEnumerable<PropertyInfo> Properties(Type type) => type.GetProperties().Where(property => property.CanWrite).OrderBy(property => property.MetadataToken);

    private static string Kebab(string name) => WordStart().Replace(name, "-").ToLowerInvariant();

    // The value of a key as it was given; of a list in YAML its items, too.
    private sealed record Setting(string Text, IReadOnlyList<string>? Items, string Origin);

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex WordStart();
}
