namespace WeakLink;

/// <summary>What a setting is to those who compare runs. Most decide what comes out of a run, and declare nothing.</summary>
/// <param name="kind">What it is.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(SettingKind kind) : Attribute
{
    /// <summary>What it is.</summary>
    public SettingKind Kind { get; } = kind;
}

/// <summary>What a setting is to those who compare runs.</summary>
[Flags]
public enum SettingKind
{
    /// <summary>Decides what comes out of a run.</summary>
    Deciding = 0,

    /// <summary>How a run is called and carried out, not what comes out of it.</summary>
    Incidental = 1,

    /// <summary>Where something is; what it is, another setting says.</summary>
    Place = 2,

    /// <summary>Filled in by a run where it is left at its default.</summary>
    FilledIn = 4,

    /// <summary>What a seed brings with it: which images are held out, and so the mean of the others.</summary>
    OfTheSeed = 8,
}
