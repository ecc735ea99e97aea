namespace WeakLink.Models;

/// <summary>Pre-activation ResNets for small images (He et al. 2016, "Identity Mappings"), with RobustBench's parameter names.</summary>
internal sealed class PreActResNet : ResidualFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = ["preact-resnet18", "preact-resnet34", "preact-resnet50"];

    /// <inheritdoc/>
    public override string Classifier => "linear.weight";

    /// <inheritdoc/>
    protected override NetworkPlan Plan(NetworkSettings settings)
    {
        var layers = ResNet.Layers(settings.Name);
        int[] channels = [settings.Scaled(64), settings.Scaled(128), settings.Scaled(256), settings.Scaled(512)];
        var (blocks, bottleneck) = (ResNet.Blocks(layers), ResNet.HasBottlenecks(layers));
        var expansion = bottleneck ? Bottleneck.Expansion : 1;
        return new NetworkPlan
        {
            StemChannels = channels[0],
            StemNorm = false,
            FinalNorm = "bn",
            ClassifierName = "linear",
            Features = channels[3] * expansion,
            LeastWeights = NetworkPlan.LeastWeightsOf(channels, blocks),
            Stages = NetworkPlan.StagesOf("layer{0}", channels, blocks, channels[0], expansion, (name, from, inner, stride, generator) => bottleneck
                ? new PreActBottleneck(name, from, inner, stride, generator)
                : new PreActBlock(name, from, inner, stride, generator)),
        };
    }
}
