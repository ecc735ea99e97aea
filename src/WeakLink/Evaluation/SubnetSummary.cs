using System.Text.Json.Serialization;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>How weak a network's subnets are.</summary>
/// <param name="Width">Subnet width ρ.</param>
/// <param name="Images">Test images that each was measured on.</param>
/// <param name="Recalibrated">Training images on which each subnet's batch-norm statistics were re-estimated; 0: the full network's running averages were used.</param>
/// <param name="Full">Accuracy of the full network on the same images.</param>
/// <param name="Random">Uniformly random subnets.</param>
/// <param name="Proposed">Subnets proposed by a policy trained against the finished network.</param>
public sealed record SubnetSummary(
    [property: Limits(0, 1, AboveLeast = true)] double Width,
    [property: Limits(0, int.MaxValue)] int Images,
    [property: Limits(0, int.MaxValue)] int Recalibrated,
    [property: Limits(0, 1)] double Full,
    SpreadSummary Random,
    SpreadSummary Proposed)
{
    /// <summary>The accuracy of the weakest of them.</summary>
    [JsonIgnore]
    public double Weakest => Math.Min(Proposed.Min, Random.Min);
}

/// <summary>How weak a network's subnets are, and the weakest of them.</summary>
/// <param name="Summary">The numbers.</param>
/// <param name="Weakest">The first of all these subnets with the lowest accuracy.</param>
public sealed record SubnetMeasurement(SubnetSummary Summary, Subnet Weakest);
