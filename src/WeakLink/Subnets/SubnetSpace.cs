namespace WeakLink.Subnets;

/// <summary>One thing that a subnet chooses: so many items, of which it keeps some.</summary>
/// <param name="Name">What the network calls it: the name of a part of it, then what is chosen there, such as layer1.0.channels.</param>
/// <param name="Items">How many there are to choose from, at least 1.</param>
public sealed record Choice(string Name, int Items)
{
    /// <summary>How many items a subnet of width ρ keeps: ceil(ρ·items), at least 1 (Guo et al. 2022, section 3).</summary>
    /// <param name="width">ρ in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">ρ is not in (0, 1].</exception>
    public int Kept(double width)
    {
        if (width is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(width), width, "A subnet width must be in (0, 1].");
        }

        // 0.7 × 10 is 7.000000000000001 in binary: without the small term it would keep 8.
        return Math.Clamp((int)Math.Ceiling((width * Items) - 1e-9), 1, Items);
    }
}

/// <summary>Everything that a subnet of a given network chooses, from input to output.</summary>
public sealed class SubnetSpace
{
    private readonly Dictionary<Choice, int> _places = [];

    /// <summary>Takes the choices.</summary>
    /// <param name="choices">In forward order; their names differ.</param>
    /// <exception cref="ArgumentException">A name is there twice, or a choice has no items.</exception>
    public SubnetSpace(IReadOnlyList<Choice> choices)
    {
        if (choices.GroupBy(choice => choice.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two choices are called '{twice.Key}'.", nameof(choices));
        }

        if (choices.FirstOrDefault(choice => choice.Items < 1) is { } empty)
        {
            throw new ArgumentException($"The choice '{empty.Name}' has no items.", nameof(choices));
        }

        Choices = [.. choices];
        for (var i = 0; i < choices.Count; i++)
        {
            _places.Add(choices[i], i);
        }
    }

    /// <summary>The choices in forward order.</summary>
    public IReadOnlyList<Choice> Choices { get; }

    /// <summary>Place of a choice among the others.</summary>
    /// <exception cref="ArgumentException">It is no choice of this space.</exception>
    public int PlaceOf(Choice choice) =>
        _places.TryGetValue(choice, out var place) ? place : throw new ArgumentException($"'{choice.Name}' of {choice.Items} items is no choice of this network.", nameof(choice));
}
