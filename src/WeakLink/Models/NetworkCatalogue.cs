using TorchSharp;

namespace WeakLink.Models;

/// <summary>The networks by name: those of the families that come with the library, and those of programs that register their own.</summary>
public static class NetworkCatalogue
{
    private static readonly Lock Gate = new();

    private static IReadOnlyList<NetworkFamily> _families = [new ResNet(), new PreActResNet(), new ImageNetResNet(), new WideResNet()];

    /// <summary>The families, in the order in which they were registered.</summary>
    public static IReadOnlyList<NetworkFamily> Families => _families;

    /// <summary>All names; of families with too many of them some.</summary>
    public static IReadOnlyList<string> Names => [.. _families.SelectMany(family => family.Names)];

    /// <summary>Makes a family's networks known by name, for the rest of the process. A family that is known already stays as it is.</summary>
    /// <exception cref="ArgumentException">One of its names is another family's.</exception>
    public static void Register(NetworkFamily family)
    {
        lock (Gate)
        {
            if (_families.Any(other => other.GetType() == family.GetType()))
            {
                return;
            }

            if (family.Names.FirstOrDefault(name => _families.Any(other => other.Has(name))) is { } taken)
            {
                throw new ArgumentException($"There is a network '{taken}' already.", nameof(family));
            }

            _families = [.. _families, family];
        }
    }

    /// <summary>Creates a network with random weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="mean">Mean of each channel in [0, 1] units, which the first layer subtracts.</param>
    /// <param name="standardDeviation">Standard deviation of each channel, which the first layer divides by.</param>
    /// <param name="seed">Decides the weights.</param>
    /// <param name="widthMultiplier">Multiplies the channels of every layer, rounded to whole channels.</param>
    /// <param name="dropout">Dropout probability, where the network has dropout; in [0, 1).</param>
    /// <exception cref="InputException">No such network (the nearest is named), or one that dropout does not belong to.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside of its range.</exception>
    public static ClassifierNetwork Create(
        string name, int classes, IReadOnlyList<double> mean, IReadOnlyList<double> standardDeviation, long seed = 0, double widthMultiplier = 1, double dropout = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Count, 3);
        ArgumentOutOfRangeException.ThrowIfNotEqual(standardDeviation.Count, 3);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (!UsableNumbers.MeansFit(mean) || !UsableNumbers.DeviationsFit(standardDeviation))
        {
            throw new ArgumentOutOfRangeException(nameof(mean), $"Images are normalised by means in {UsableNumbers.MeanRange} and deviations in {UsableNumbers.DeviationRange}.");
        }

        if (!(widthMultiplier > 0 && double.IsFinite(widthMultiplier)) || !(dropout is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(widthMultiplier), FormattableString.Invariant($"The width multiplier is above 0 and dropout in [0, 1), not {widthMultiplier} and {dropout}."));
        }

        var family = FamilyOf(name);
        if (dropout > 0 && !family.HasDropout)
        {
            throw new InputException($"model.dropout belongs to {string.Join(", ", _families.Where(other => other.HasDropout).Select(Shown))}; '{name}' has none: set it to 0.");
        }

        // Modules keep their own tensors: a caller's dispose scope must not take them.
        using var scope = torch.NewDisposeScope();
        var network = family.Create(new NetworkSettings
        {
            Name = name,
            Classes = classes,
            Mean = mean,
            StandardDeviation = standardDeviation,
            Seed = seed,
            WidthMultiplier = widthMultiplier,
            Dropout = dropout,
        });
        foreach (var tensor in network.parameters().Concat(network.buffers()))
        {
            tensor.DetachFromDisposeScope();
        }

        return network;
    }

    /// <summary>A number of parameters that a network has at least, known before any memory is asked for.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="widthMultiplier">Multiplies the channels of every layer.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static long LeastParameters(string name, double widthMultiplier, int classes) =>
        FamilyOf(name).LeastParameters(new NetworkSettings { Name = name, Classes = classes, Mean = [], StandardDeviation = [], WidthMultiplier = widthMultiplier });

    /// <summary>By how much the last blocks' features are lower and narrower than the image, rounded up.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static int Reduction(string name) => FamilyOf(name).Reduction(name);

    /// <summary>What the weight of a network's classifier is called.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static string ClassifierOf(string name) => FamilyOf(name).Classifier;

    /// <summary>What the weight of a network's first convolution is called.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InputException">No such network.</exception>
    internal static string StemOf(string name) => FamilyOf(name).Stem;

    private static NetworkFamily FamilyOf(string name) => _families.FirstOrDefault(family => family.Has(name)) ?? throw new InputException(
        $"There is no network '{name}'{(Nearest.Close(name, Names) is { } meant ? $": did you mean {meant}?" : ".")} Choose from {string.Join(", ", _families.Select(Shown))}; one of your own is known after NetworkCatalogue.Register(its family), in your own program.");

    private static string Shown(NetworkFamily family) => family.Pattern ?? string.Join(", ", family.Names);
}
