using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using WeakLink.Attacks;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace WeakLink.Training;

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
            return Parse(File.ReadAllText(nameOrPath), nameOrPath, overrides);
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
        var values = new Dictionary<string, (string Text, string Origin)>(StringComparer.Ordinal);
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents.Count > 0)
            {
                Flatten(stream.Documents[0].RootNode, "", origin, values);
            }
        }
        catch (YamlException exception)
        {
            throw new InputException($"'{origin}' is not valid YAML at line {exception.Start.Line}: {exception.InnerException?.Message ?? exception.Message}", exception);
        }

        var below = values.ToDictionary();
        foreach (var pair in overrides ?? [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new InputException($"'{pair}' is not of the form key=value, such as ews.width=0.5.");
            }

            values[pair[..equals].Trim()] = (pair[(equals + 1)..].Trim(), Override);
        }

        TakeFormerKeys(values);
        var known = Keys(new Recipe(), "").Select(key => key.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in values)
        {
            if (!known.Contains(key))
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

        static string? Named(Dictionary<string, (string Text, string Origin)> values, string key) => values.TryGetValue(key, out var value) ? value.Text.ToLowerInvariant() : null;
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
    private static void TakeFormerKeys(Dictionary<string, (string Text, string Origin)> values)
    {
        if (values.Remove("augmentation.flip", out var flip) && flip.Text == "false")
        {
            values.TryAdd("augmentation.sequence", (AugmentationSequence.Crop, flip.Origin));
        }
    }

    private static object Build(Type type, string prefix, Dictionary<string, (string Text, string Origin)> values)
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
                property.SetValue(section, Value(property.PropertyType, name, value.Text, value.Origin));
            }
        }

        return section;
    }

    private static object Value(Type type, string key, string text, string origin)
    {
        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(IReadOnlyList<double>))
        {
            return text.Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(item => (double)Value(typeof(double), key, item, origin)).ToArray();
        }

        if (type == typeof(IReadOnlyList<string>))
        {
            return text.Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }

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
        throw new InputException($"{origin}: {key} must be {kind}, not '{text}'.");
    }

    private static void Flatten(YamlNode node, string prefix, string origin, Dictionary<string, (string Text, string Origin)> values)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                foreach (var (key, child) in mapping.Children)
                {
                    Flatten(child, prefix.Length == 0 ? key.ToString() : $"{prefix}.{key}", origin, values);
                }

                break;
            case YamlSequenceNode sequence:
                values[prefix] = (string.Join(',', sequence.Children.Select(child => child.ToString())), $"{origin}, line {node.Start.Line}");
                break;
            case YamlScalarNode scalar when prefix.Length > 0:
                values[prefix] = (scalar.Value ?? "", $"{origin}, line {node.Start.Line}");
                break;
            case YamlScalarNode { Value: null or "" }:
                break;
            default:
                throw new InputException($"'{origin}' is not a recipe: it must hold 'key: value' lines.");
        }
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
                // Quoted the YAML way, where a quote is doubled: any path survives.
                text.Append(" '").Append(words.Replace("'", "''", StringComparison.Ordinal)).Append("'\n");
            }
            else if (value is IEnumerable<string> items)
            {
                text.Append(" [").AppendJoin(", ", items.Select(item => $"'{item.Replace("'", "''", StringComparison.Ordinal)}'")).Append("]\n");
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

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex WordStart();
}
