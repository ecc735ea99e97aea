namespace WeakLink.Models;

/// <summary>
/// The ResNets of table 1 of He et al. 2016 for images of ImageNet's size, as in torchvision; and resnet20-imagenet, which has a third block in the last stage of resnet18:
/// the network that CNTK and ML.NET (Microsoft.ML.DnnImageFeaturizer.ResNet18) call ResNet-18.
/// </summary>
internal sealed class ImageNetResNet : ResidualFamily
{
    private const string Suffix = "-imagenet";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } =
        ["resnet18-imagenet", "resnet20-imagenet", "resnet34-imagenet", "resnet50-imagenet", "resnet101-imagenet", "resnet152-imagenet"];

    /// <inheritdoc/>
    protected override NetworkPlan Plan(NetworkSettings settings) =>
        ResNet.Large(ResNet.Layers(settings.Name[..^Suffix.Length]), settings) with { StemKernel = 7, StemStride = 2, StemPool = true };
}
