namespace WeakLink.Augmentations;

/// <summary>The data set that a policy of <see cref="AutoAugment"/> was searched on.</summary>
public enum AutoAugmentPolicy
{
    /// <summary>CIFAR-10; its authors use it for CIFAR-100, too.</summary>
    Cifar10,

    /// <summary>ImageNet.</summary>
    ImageNet,

    /// <summary>Street View House Numbers.</summary>
    Svhn,
}

/// <summary>
/// AutoAugment (Cubuk, Zoph, Mané, Vasudevan and Le, CVPR 2019): one of 25 sub-policies, each two operators with a probability and a
/// strength. Where the paper leaves it open: pixels are moved without interpolation, as in the authors' code; what comes in from
/// outside is grey (128) and strengths are those of the widely used implementation, DeepVoltaire/AutoAugment, with a random sign for
/// rotations as for the other operators that have one. The authors' own pipeline flips before and applies <see cref="Cutout"/> after.
/// </summary>
/// <param name="Policy">Which sub-policies.</param>
public sealed record AutoAugment(AutoAugmentPolicy Policy) : Augmentation
{
    /// <inheritdoc/>
    public override void Apply(ImageBuffer image, SeededRandom random)
    {
        var (first, second) = Draw(random, image.Height, image.Width);
        first.Apply(image, Resampling.Nearest, AutoAugmentScale.Outside);
        second.Apply(image, Resampling.Nearest, AutoAugmentScale.Outside);
    }

    internal (Operation First, Operation Second) Draw(SeededRandom random, int height, int width)
    {
        var subPolicies = SubPolicy.Of(Policy);
        return subPolicies[random.Next(subPolicies.Count)].Draw(random, height, width);
    }
}
