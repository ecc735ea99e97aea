using WeakLink.Models;

namespace OwnNetwork;

/// <summary>Makes the networks known by name: separable-4 and separable-8, after their number of blocks.</summary>
public sealed class SeparableFamily : NetworkFamily
{
    private const string Prefix = "separable-";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [Prefix + "4", Prefix + "8"];

    /// <inheritdoc/>
    public override string Stem => "stem.weight";

    /// <inheritdoc/>
    public override string Classifier => "head.weight";

    /// <inheritdoc/>
    public override ClassifierNetwork Create(NetworkSettings settings) => new SeparableNetwork(settings, Blocks(settings.Name));

    // The 1x1 convolutions of every block, to four times as many channels and back.
    /// <inheritdoc/>
    public override long LeastParameters(NetworkSettings settings)
    {
        var channels = (long)settings.Scaled(SeparableNetwork.Channels);
        return (Blocks(settings.Name) * 2 * SeparableNetwork.Expansion * channels * channels) + (channels * settings.Classes);
    }

    /// <inheritdoc/>
    public override int Reduction(string name) => SeparableNetwork.Reduction;

    private static int Blocks(string name) => name[^1] - '0';
}
