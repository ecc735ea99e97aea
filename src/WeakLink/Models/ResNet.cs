using System.Globalization;
using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// ResNets for small images (He et al. 2016, "Deep Residual Learning"), with torchvision's parameter names: those of section 4.2, and those of table 1 with the 3x3 stem that is
/// usual for 32x32 images.
/// </summary>
internal sealed class ResNet : ResidualFamily
{
    private static readonly string[] Small = ["resnet8", "resnet14", "resnet20", "resnet32", "resnet56"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [.. Small, "resnet18", "resnet34", "resnet50"];

    /// <summary>The networks of table 1, by their number of layers.</summary>
    /// <param name="layers">18, 20, 34, 50, 101 or 152.</param>
    /// <param name="settings">What was asked for.</param>
    /// <param name="create">Creates a block, as <see cref="NetworkPlan.Of"/> has it.</param>
    public static NetworkPlan Large(int layers, NetworkSettings settings, Func<string, int, int, int, torch.Generator, ResidualBlock> create)
    {
        int[] channels = [settings.Scaled(64), settings.Scaled(128), settings.Scaled(256), settings.Scaled(512)];
        int[] blocks = layers switch
        {
            18 => [2, 2, 2, 2],
            20 => [2, 2, 2, 3],
            34 or 50 => [3, 4, 6, 3],
            101 => [3, 4, 23, 3],
            152 => [3, 8, 36, 3],
            _ => throw new ArgumentOutOfRangeException(nameof(layers), layers, "There is no such residual network."),
        };
        return NetworkPlan.Of("layer{0}", channels[0], channels, blocks, HasBottlenecks(layers) ? Bottleneck.Expansion : 1, create);
    }

    /// <summary>The same of blocks that end in a ReLU.</summary>
    /// <inheritdoc cref="Large(int, NetworkSettings, Func{string, int, int, int, torch.Generator, ResidualBlock})"/>
    public static NetworkPlan Large(int layers, NetworkSettings settings) => Large(layers, settings, (name, from, inner, stride, generator) => HasBottlenecks(layers)
        ? new Bottleneck(name, from, inner, stride, generator)
        : new BasicBlock(name, from, inner, stride, generator));

    /// <summary>Whether blocks have three convolutions instead of two.</summary>
    public static bool HasBottlenecks(int layers) => layers >= 50;

    /// <summary>The number at the end of a name.</summary>
    public static int Layers(string name) => int.Parse(name.AsSpan(name.LastIndexOf("resnet", StringComparison.Ordinal) + 6), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    protected override NetworkPlan Plan(NetworkSettings settings)
    {
        var layers = Layers(settings.Name);
        if (!Small.Contains(settings.Name))
        {
            return Large(layers, settings);
        }

        int[] channels = [settings.Scaled(16), settings.Scaled(32), settings.Scaled(64)];
        var each = (layers - 2) / 6;
        return NetworkPlan.Of("layer{0}", channels[0], channels, [each, each, each], 1, (name, from, to, stride, generator) => new BasicBlock(name, from, to, stride, generator));
    }
}
