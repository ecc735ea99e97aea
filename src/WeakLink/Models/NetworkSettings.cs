namespace WeakLink.Models;

/// <summary>What is asked of a network family.</summary>
public sealed record NetworkSettings
{
    /// <summary>The network's name, one of the family's.</summary>
    public required string Name { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Mean of each of three channels in [0, 1] units, which the first layer subtracts.</summary>
    public required IReadOnlyList<double> Mean { get; init; }

    /// <summary>Standard deviation of each channel, which the first layer divides by.</summary>
    public required IReadOnlyList<double> StandardDeviation { get; init; }

    /// <summary>Decides the weights.</summary>
    public long Seed { get; init; }

    /// <summary>Multiplies the channels of every layer; above 0.</summary>
    public double WidthMultiplier { get; init; } = 1;

    /// <summary>Dropout probability in [0, 1), where the family has dropout.</summary>
    public double Dropout { get; init; }

    /// <summary>A number of channels times <see cref="WidthMultiplier"/>, rounded to whole channels, at least 1.</summary>
    public int Scaled(int channels) => Math.Max(1, (int)Math.Round(channels * WidthMultiplier, MidpointRounding.AwayFromZero));

    /// <summary>What weights are drawn with.</summary>
    public TorchSharp.torch.Generator Generator() => new(new SeededRandom(Seed, RandomUse.Weights).NextBits() >> 1);
}
