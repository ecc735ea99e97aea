using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace WeakLink;

/// <summary>
/// Settings as keys: a record's properties in kebab-case, in the order in which they are written; those of a section (a record within it whose name ends in Recipe) after the
/// section's name and a dot.
/// </summary>
internal static partial class Keys
{
    // Networks and their training compute in float32: the smallest number that it holds in full.
    private const double Smallest = 1.1754943508222875e-38;

    /// <summary>A key.</summary>
    /// <param name="Name">Its path, with dots.</param>
    /// <param name="Property">The property behind it.</param>
    /// <param name="Value">Its value.</param>
    public sealed record Key(string Name, PropertyInfo Property, object? Value);

    /// <summary>Every key of the settings.</summary>
    /// <param name="settings">A record.</param>
    /// <param name="prefix">What stands before their names: of a section its own name and a dot.</param>
    public static IEnumerable<Key> Of(object settings, string prefix = "")
    {
        foreach (var property in Properties(settings.GetType()))
        {
            var name = prefix + Kebab(property.Name);
            var value = property.GetValue(settings);
            if (IsSection(property.PropertyType))
            {
                foreach (var key in Of(value!, name + "."))
                {
                    yield return key;
                }
            }
            else
            {
                yield return new Key(name, property, value);
            }
        }
    }

    /// <summary>Refuses a number that its property's <see cref="LimitsAttribute"/> rules out or that float32 can't hold, and a choice that is none.</summary>
    /// <param name="settings">A record.</param>
    /// <param name="prefix">What stands before the names of its keys.</param>
    /// <param name="origin">Where a key's value came from, for the message; null: in code.</param>
    /// <exception cref="InputException">The first value out of its limits, with these.</exception>
    public static void RequireLimits(object settings, string prefix = "", Func<string, string?>? origin = null)
    {
        foreach (var (name, property, value) in Of(settings, prefix))
        {
            if (value is Enum choice)
            {
                Require(Enum.IsDefined(choice.GetType(), choice), $"one of {string.Join(", ", Enum.GetNames(choice.GetType()).Select(Kebab))}");
            }

            if (property.GetCustomAttribute<LimitsAttribute>() is { } limits)
            {
                Require(limits.Hold(value), limits.ToString());
                Require(Numbers(value).All(number => number == 0 || Math.Abs(number) >= Smallest), "a number that float32 can hold, and this one is too near to 0");
            }

            void Require(bool holds, string allowed)
            {
                if (!holds)
                {
                    throw Refused(name, Text(value), allowed, origin?.Invoke(name));
                }
            }
        }

        static IEnumerable<double> Numbers(object? value) => value switch { double number => [number], IEnumerable<double> numbers => numbers, _ => [] };
    }

    /// <summary>What to say of a value that can't be.</summary>
    public static InputException Refused(string key, string value, string allowed, string? origin) => Wrong($"{key} is {value}, but must be {allowed}.", origin);

    /// <summary>A sentence about a key, after where its value came from; null: the sentence says it all.</summary>
    public static InputException Wrong(string sentence, string? origin, Exception? inner = null) => new(origin is null ? sentence : $"{origin}: {sentence}", inner);

    /// <summary>A value as it is written; of a list the items with commas between.</summary>
    public static string Text(object? value) => value switch
    {
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IEnumerable<string> items => string.Join(", ", items),
        IEnumerable<double> numbers => string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))),
        Enum choice => Kebab(choice.ToString()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    public static IEnumerable<PropertyInfo> Properties(Type type) => type.GetProperties().Where(property => property.CanWrite).OrderBy(property => property.MetadataToken);

    public static bool IsSection(Type type) => type.IsClass && type.Name.EndsWith("Recipe", StringComparison.Ordinal);

    public static string Kebab(string name) => WordStart().Replace(name, "-").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex WordStart();
}
