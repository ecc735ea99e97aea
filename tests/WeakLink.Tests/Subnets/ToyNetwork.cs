using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

/// <summary>
/// Two blocks whose inner channels each vote for class 0 or 1: the strong ones (the first of each block) know the answer, the planted
/// weak ones guess. A subnet that keeps weak channels is wrong more often.
/// </summary>
internal sealed class ToyNetwork : ISubnetNetwork
{
    public const int Channels = 8;
    public const int Strong = 3;

    public SubnetSpace Space { get; } = new([new Choice("0.paths", 2), new Choice("0.channels", Channels), new Choice("1.paths", 2), new Choice("1.channels", Channels)]);

    /// <summary>Votes of every channel: N×(2·8)×1×1, and the labels.</summary>
    public static (torch.Tensor Images, torch.Tensor Labels) Batch(SeededRandom random, int count)
    {
        var labels = Enumerable.Range(0, count).Select(_ => (long)random.Next(2)).ToArray();
        var votes = labels.SelectMany(label => Enumerable.Range(0, 2 * Channels)
            .Select(channel => (float)(((channel % Channels) < Strong ? (2 * label) - 1 : 0) + (1.5 * random.NextNormal())))).ToArray();
        return (torch.tensor(votes, [count, 2 * Channels, 1, 1]), torch.tensor(labels));
    }

    public torch.Tensor forward(torch.Tensor images, Subnet? subnet, SubnetStatistics? statistics = null)
    {
        using var scope = torch.NewDisposeScope();
        var kept = Enumerable.Range(0, 2)
            .SelectMany(block => (subnet?.Kept[(2 * block) + 1] ?? [.. Enumerable.Range(0, Channels).Select(i => (long)i)]).Select(channel => (block * Channels) + channel))
            .ToArray();
        var sum = images.flatten(1).index_select(1, torch.tensor(kept)).sum(1);
        return torch.stack([sum.neg(), sum], 1).MoveToOuterDisposeScope();
    }
}
