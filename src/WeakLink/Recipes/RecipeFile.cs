using System.Collections;
using System.Reflection;
using System.Text;

namespace WeakLink.Recipes;

/// <summary>
/// Recipes as YAML: the keys of <see cref="RecipeKeys"/>, nested. A file gives what differs from the defaults; <c>key=value</c> overrides come on top;
/// unknown keys are errors.
/// </summary>
public static class RecipeFile
{
    private const string ResourcePrefix = "recipes/";
    private const string ResourceSuffix = ".yaml";

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
                text = TextFile.Read(nameOrPath, Yaml.MostCharacters, TextFile.StrictUtf8);
            }
            catch (DecoderFallbackException exception)
            {
                throw new InputException($"The recipe '{nameOrPath}' is not UTF-8 text: save it as UTF-8.", exception);
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
    /// <param name="overrides">Each <c>key=value</c>, as in <see cref="Recipe.With"/>.</param>
    /// <exception cref="InputException">As <see cref="Load"/>.</exception>
    public static Recipe Parse(string yaml, string origin, IEnumerable<string>? overrides = null)
    {
        var values = new Dictionary<string, KeySetting>(StringComparer.Ordinal);
        foreach (var entry in Yaml.Read(yaml, origin))
        {
            values[entry.Key] = new KeySetting(entry.Text, entry.Items, $"{origin}, line {entry.Line}");
        }

        TakeFormerKeys(values);
        return RecipeKeys.Set(new Recipe(), [values, RecipeKeys.Overrides(overrides ?? [])], origin);
    }

    /// <summary>The whole recipe as YAML, every key resolved, in a stable order.</summary>
    public static string ToYaml(Recipe recipe)
    {
        var text = new StringBuilder();
        Write(text, recipe, 0);
        return text.ToString();
    }

    // Runs and checkpoints of version 0.1.0 before sequences: flip was a switch.
    private static void TakeFormerKeys(Dictionary<string, KeySetting> values)
    {
        if (values.Remove("augmentation.flip", out var flip) && flip.Text == "false")
        {
            values.TryAdd("augmentation.sequence", flip with { Text = AugmentationSequence.Crop });
        }
    }

    private static void Write(StringBuilder text, object section, int depth)
    {
        foreach (var property in Keys.Properties(section.GetType()))
        {
            text.Append(' ', 2 * depth).Append(Keys.Kebab(property.Name)).Append(':');
            var value = property.GetValue(section);
            if (Keys.IsSection(property.PropertyType))
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
                text.Append(' ').Append(value is IEnumerable ? $"[{Keys.Text(value)}]" : Keys.Text(value)).Append('\n');
            }
        }
    }
}
