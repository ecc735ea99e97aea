using System.Globalization;
using System.Reflection;

namespace WeakLink.Recipes;

/// <summary>
/// What a recipe's keys are called, what they hold and how they are set: a key is a property of <see cref="Recipe"/> or of one of its sections, in kebab-case, such as
/// <c>training.learning-rate</c>.
/// </summary>
public static class RecipeKeys
{
    /// <summary>Every key with its default as text, in the order of the records.</summary>
    public static IReadOnlyList<(string Name, string Default)> All => ValuesOf(new Recipe());

    /// <summary>Every key of a recipe with its value as text, in the order of the records.</summary>
    public static IReadOnlyList<(string Name, string Value)> ValuesOf(Recipe recipe) => [.. Keys.Of(recipe).Select(key => (key.Name, Keys.Text(key.Value)))];

    /// <summary>A list as the value of an override, so that any items survive: <c>data.extra=['a, b', c]</c>.</summary>
    public static string ListText(IEnumerable<string> items) => Yaml.Quoted(items);

    /// <summary>Reads overrides; of one key given twice the last counts.</summary>
    /// <param name="overrides">Each <c>key=value</c>.</param>
    /// <exception cref="InputException">One is of another form.</exception>
    internal static IReadOnlyDictionary<string, KeySetting> Overrides(IEnumerable<string> overrides)
    {
        var values = new Dictionary<string, KeySetting>(StringComparer.Ordinal);
        foreach (var pair in overrides)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new InputException($"'{pair}' is not of the form key=value, such as ews.width=0.5.");
            }

            // Not trimmed: a folder's name may begin or end with a space.
            values[pair[..equals].Trim()] = new KeySetting(pair[(equals + 1)..], null, null);
        }

        return values;
    }

    /// <summary>A recipe with other values for some keys, checked.</summary>
    /// <param name="recipe">The recipe; it stays as it is.</param>
    /// <param name="layers">The values by key; later ones win.</param>
    /// <param name="origin">Where the other values came from, for messages; null: from code.</param>
    /// <exception cref="InputException">An unknown key (the nearest is named), or a value that is not allowed.</exception>
    internal static Recipe Set(Recipe recipe, IReadOnlyList<IReadOnlyDictionary<string, KeySetting>> layers, string? origin)
    {
        var values = new Dictionary<string, KeySetting>(StringComparer.Ordinal);
        foreach (var (key, value) in layers.SelectMany(layer => layer))
        {
            values[key] = value;
        }

        var known = Keys.Of(recipe).ToDictionary(key => key.Name, key => key.Value, StringComparer.Ordinal);
        foreach (var (key, value) in values)
        {
            // A section may be left empty.
            if (!known.ContainsKey(key) && (value.Text.Length > 0 || !known.Keys.Any(name => name.StartsWith(key + ".", StringComparison.Ordinal))))
            {
                throw Keys.Wrong($"'{key}' is no recipe key; did you mean '{Nearest.To(key, known.Keys)}'?", value.Origin);
            }
        }

        var changed = (Recipe)With(recipe, "", values);
        RecipeCheck.Check(changed, key => values.TryGetValue(key, out var value) ? value.Origin : origin, IsNamedWith);
        return changed;

        // A size of one norm, or a rate of one optimiser, says nothing in another: what changes the kind names the size too, or what comes after it does.
        bool IsNamedWith(string kind, string size)
        {
            var (current, last) = (Keys.Text(known[kind]), -1);
            for (var i = 0; i < layers.Count; i++)
            {
                if (layers[i].TryGetValue(kind, out var named) && !named.Text.Trim().Equals(current, StringComparison.OrdinalIgnoreCase))
                {
                    (current, last) = (named.Text.Trim(), i);
                }
            }

            return last < 0 || layers.Skip(last).Any(layer => layer.ContainsKey(size));
        }
    }

    private static object With(object section, string prefix, Dictionary<string, KeySetting> values)
    {
        var copy = Activator.CreateInstance(section.GetType())!;
        foreach (var property in Keys.Properties(section.GetType()))
        {
            var (name, value) = (prefix + Keys.Kebab(property.Name), property.GetValue(section));
            property.SetValue(copy, Keys.IsSection(property.PropertyType) ? With(value!, name + ".", values) : values.TryGetValue(name, out var given) ? Value(property, name, given) : value);
        }

        return copy;
    }

    private static object Value(PropertyInfo property, string key, KeySetting setting)
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
    private static IReadOnlyList<string> Items(string key, KeySetting setting) => setting.Items
        ?? (setting.Text.TrimStart().StartsWith('[')
            ? Yaml.Items(setting.Text, setting.Origin is null ? key : $"{setting.Origin} {key}")
            : setting.Text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static object Value(Type type, PropertyInfo property, string key, string text, string? origin)
    {
        if (type.IsEnum)
        {
            var choices = Enum.GetNames(type).ToDictionary(Keys.Kebab, StringComparer.OrdinalIgnoreCase);
            return choices.TryGetValue(text, out var choice)
                ? Enum.Parse(type, choice)
                : throw Keys.Wrong($"{key} can't be '{text}'; choose {string.Join(", ", choices.Keys)}.", origin);
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
        throw Keys.Wrong($"{key} must be {kind}{limits}, not '{text}'.", origin);
    }
}

/// <summary>The value of a key as it was given.</summary>
/// <param name="Text">The value; of a list in YAML its items with commas between.</param>
/// <param name="Items">The items of a list in YAML; null where it is none.</param>
/// <param name="Origin">Where it stands, such as a file and a line; null: in an override, which is named by its key.</param>
internal sealed record KeySetting(string Text, IReadOnlyList<string>? Items, string? Origin);
