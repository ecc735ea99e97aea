using System.Text.Json;
using System.Text.Json.Serialization;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>How far searches for weak subnets came: for each search the lowest accuracy on the reward images after each pass.</summary>
/// <param name="Images">Training images that the reward was measured on.</param>
/// <param name="Policy">Searches by a policy that learns.</param>
/// <param name="Random">As many uniformly random searches of the same length.</param>
/// <param name="Saliency">As many that draw by the gradients at the gates, of the first batch of these images, for which they need a forward and a backward pass more.</param>
public sealed record SearchStrength(int Images, IReadOnlyList<IReadOnlyList<double>> Policy, IReadOnlyList<IReadOnlyList<double>> Random, IReadOnlyList<IReadOnlyList<double>> Saliency)
{
    /// <summary>Wall-clock time of a search, mean over those of a kind: what its name in lower case names; null where nobody measured it.</summary>
    public IReadOnlyDictionary<string, double>? Seconds { get; init; }

    /// <summary>The kinds by name, from the blindest on.</summary>
    [JsonIgnore]
    public IEnumerable<(string Name, IReadOnlyList<IReadOnlyList<double>> Courses)> Kinds =>
        [("random", Random), ("saliency", Saliency), ("policy", Policy)];
}

/// <summary>The weakest subnet that a search came across.</summary>
/// <param name="Search">Who searched, with the number of the search from 1, such as policy-1.</param>
/// <param name="Subnet">The subnet.</param>
public sealed record FoundSubnet(string Search, Subnet Subnet);

/// <summary>Subnets of one width.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Random">Uniformly random subnets.</param>
/// <param name="Proposed">Subnets proposed by the trained policies, which take turns; null without a search.</param>
/// <param name="WeakestOfPolicy">The weakest subnet that each policy came across in its search, by the reward; null without a search.</param>
/// <param name="WeakestOfRandom">The weakest that each random search came across.</param>
/// <param name="WeakestOfSaliency">The weakest that each search by gradients came across.</param>
/// <param name="RunningAverages">Clean accuracy of the same random subnets with the full network's running averages; null where all of it was measured so.</param>
/// <param name="Search">The strength of the searches; null without one.</param>
public sealed record WidthStudy(
    double Width,
    AccuracyGroup Random,
    AccuracyGroup? Proposed,
    AccuracyGroup? WeakestOfPolicy,
    AccuracyGroup? WeakestOfRandom,
    AccuracyGroup? WeakestOfSaliency,
    SpreadSummary? RunningAverages,
    SearchStrength? Search)
{
    /// <summary>The weakest subnet of each search: those of <see cref="WeakestOfPolicy"/>, of <see cref="WeakestOfRandom"/>, then of <see cref="WeakestOfSaliency"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<FoundSubnet> Found { get; init; } = [];

    /// <summary>All that were measured of this width.</summary>
    [JsonIgnore]
    public IEnumerable<AccuracyGroup> Groups => new[] { Random, Proposed, WeakestOfPolicy, WeakestOfRandom, WeakestOfSaliency }.OfType<AccuracyGroup>();
}

/// <summary>A network and its subnets.</summary>
/// <param name="Name">What to call it, such as the name of its run.</param>
/// <param name="Path">Where it was loaded from.</param>
/// <param name="Network">Its architecture.</param>
/// <param name="Ews">Who proposed the subnets that its training taught: off, random, policy or saliency.</param>
/// <param name="Epoch">Epochs that it was trained.</param>
/// <param name="Full">The full network on the same images, with its running averages: as it is used.</param>
/// <param name="FullReestimated">The full network with statistics re-estimated as its subnets' are; null where those use running averages. In the middle of a training
/// the averages may lag far behind the weights.</param>
/// <param name="Widths">Its subnets, by width.</param>
/// <param name="Seconds">Wall-clock time.</param>
public sealed record ModelStudy(
    string Name, string Path, string Network, string Ews, int Epoch, Accuracies Full, Accuracies? FullReestimated, IReadOnlyList<WidthStudy> Widths, double Seconds);

/// <summary>An attack as a study names it.</summary>
/// <param name="Name">Such as pgd.</param>
/// <param name="Norm">How the perturbation is measured.</param>
/// <param name="Eps">The largest perturbation, in units of [0, 1].</param>
/// <param name="Steps">Its steps, where the study chose them.</param>
/// <param name="Images">Images attacked.</param>
public sealed record StudiedAttack(string Name, string Norm, double Eps, int? Steps, int Images);

/// <summary>How subnets of one or several networks do on the same images: subnets.json. Rates are fractions, times seconds.</summary>
public sealed record SubnetStudy
{
    /// <summary>The command that measured.</summary>
    public required string Command { get; init; }

    /// <summary>Name of the data.</summary>
    public required string Data { get; init; }

    /// <summary>Test images that each subnet was measured on.</summary>
    public required int Images { get; init; }

    /// <summary>Corruptions that those were measured under; empty: none.</summary>
    public required IReadOnlyList<string> Corruptions { get; init; }

    /// <summary>Severities of each.</summary>
    public required IReadOnlyList<int> Severities { get; init; }

    /// <summary>The attack; null: none.</summary>
    public StudiedAttack? Attack { get; init; }

    /// <summary>Training images on which each subnet's batch-norm statistics were re-estimated; 0: the full network's running averages were used.</summary>
    public required int Recalibrated { get; init; }

    /// <summary>Seed of all draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Reasons to doubt all of the numbers, such as test images that a network was trained on.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The networks.</summary>
    public required IReadOnlyList<ModelStudy> Models { get; init; }

    /// <summary>Over the networks: how the robustness of the subnets goes with that of the full network. Empty for fewer than four.</summary>
    public IReadOnlyList<SubnetCorrelation> Correlations => SubnetCorrelation.Over(Models);

    /// <summary>Which accuracies were measured.</summary>
    [JsonIgnore]
    public IReadOnlyList<AccuracyKind> Kinds => [AccuracyKind.Clean, .. Corruptions.Count > 0 ? [AccuracyKind.Corrupted] : Array.Empty<AccuracyKind>(), .. Attack is null ? Array.Empty<AccuracyKind>() : [AccuracyKind.Attacked]];

    /// <summary>Which batch-norm statistics subnets were measured with.</summary>
    [JsonIgnore]
    public string StatisticsInWords => Recalibrated > 0
        ? $"each subnet with batch-norm statistics re-estimated on {Recalibrated:n0} training images"
        : "each subnet with the full network's running averages";

    /// <summary>The JSON document.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json.Named);
}
