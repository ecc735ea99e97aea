namespace WeakLink.Subnets;

/// <summary>
/// What the subnet of a step sees. The full network teaches it the logits of what the full network saw itself: of the same views, or, where the subnet sees another
/// one, of the calmest.
/// </summary>
public enum SubnetView
{
    /// <summary>What the full network sees (the paper).</summary>
    Same,

    /// <summary>Another draw of the whole <c>augmentation.sequence</c>: another crop, another flip.</summary>
    Crop,

    /// <summary>An AugMix mixture with draws of its own of what the full network sees the crop of.</summary>
    Augmix,

    /// <summary>RandAugment with draws of its own, likewise.</summary>
    Randaugment,

    /// <summary>Under a pattern of waves or squares, likewise: corruptions that are unlike those of the benchmark.</summary>
    Corrupted,

    /// <summary>The image under an attack on the subnet, which drives it away from the teacher: <c>objective.eps</c>, <c>norm</c>, <c>steps</c>, <c>step-size</c>.</summary>
    Adversarial,
}

internal static class SubnetViews
{
    /// <summary>Whether it is made where the full network's views are: from the stored image, by the loader.</summary>
    public static bool IsLoaded(this SubnetView view) => view is not (SubnetView.Same or SubnetView.Adversarial);
}
