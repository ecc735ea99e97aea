using System.Collections;
using System.Globalization;

namespace WeakLink;

/// <summary>What a number may be; of a list or a dictionary, each number in it. Declared where the number is, checked wherever one comes in.</summary>
/// <param name="least">The least, which it may be.</param>
/// <param name="most">The most, which it may be.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LimitsAttribute(double least, double most) : Attribute
{
    /// <summary>The least.</summary>
    public double Least { get; } = least;

    /// <summary>The most; infinite (or the largest integer) for no limit.</summary>
    public double Most { get; } = most;

    /// <summary>Whether it must be above <see cref="Least"/>.</summary>
    public bool AboveLeast { get; set; }

    /// <summary>Whether it must be below <see cref="Most"/>.</summary>
    public bool BelowMost { get; set; }

    /// <summary>Whether a list must hold something.</summary>
    public bool NotEmpty { get; set; }

    /// <summary>Whether a value keeps to the limits; NaN keeps to none.</summary>
    /// <param name="value">A number, or a collection of numbers; null is no number, and keeps to all.</param>
    public bool Hold(object? value) => value switch
    {
        null => true,
        IDictionary map => (map.Count > 0 || !NotEmpty) && map.Values.Cast<object?>().All(Hold),
        IEnumerable items and not string => items.Cast<object?>().ToList() is var all && (all.Count > 0 || !NotEmpty) && all.All(Hold),
        IConvertible number => number.ToDouble(CultureInfo.InvariantCulture) is var size && (AboveLeast ? size > Least : size >= Least) && (BelowMost ? size < Most : size <= Most),
        _ => false,
    };

    /// <summary>The limits as a part of a sentence, such as "above 0 and at most 1".</summary>
    public override string ToString()
    {
        var low = FormattableString.Invariant($"{(AboveLeast ? "above" : "at least")} {Least}");
        return Most >= int.MaxValue ? low
            : !AboveLeast && !BelowMost ? FormattableString.Invariant($"from {Least} to {Most}")
            : FormattableString.Invariant($"{low} and {(BelowMost ? "below" : "at most")} {Most}");
    }
}
