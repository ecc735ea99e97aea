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
        return ResNet.Large(layers, settings, (name, from, inner, stride, generator) => ResNet.HasBottlenecks(layers)
            ? new PreActBottleneck(name, from, inner, stride, generator)
            : new PreActBlock(name, from, inner, stride, generator)) with
        { StemNorm = false, FinalNorm = "bn", ClassifierName = "linear" };
    }
}
