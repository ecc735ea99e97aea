namespace WeakLink.Corruptions;

/// <summary>The published severities: the same corruption needs other strengths at other sizes.</summary>
public enum SeverityTable
{
    /// <summary>CIFAR-10-C and CIFAR-100-C, 32×32 pixels.</summary>
    Cifar,

    /// <summary>Tiny-ImageNet-C, 64×64 pixels.</summary>
    TinyImageNet,

    /// <summary>ImageNet-C, 224×224 pixels.</summary>
    ImageNet,
}

/// <summary>Which table fits a size.</summary>
public static class SeverityTables
{
    /// <summary>
    /// The table whose size is the nearest in ratio to the shorter side: CIFAR up to 45 pixels, Tiny-ImageNet up to 119, ImageNet from
    /// 120 (the geometric means of 32, 64 and 224). Strengths in pixels are not scaled, as in the published ImageNet-C for other crops.
    /// </summary>
    public static SeverityTable For(int height, int width) => Math.Min(height, width) switch
    {
        <= 45 => SeverityTable.Cifar,
        < 120 => SeverityTable.TinyImageNet,
        _ => SeverityTable.ImageNet,
    };
}

/// <summary>A corruption's parameters: five severities for each table.</summary>
internal sealed class Levels<T>(T[] cifar, T[] tinyImageNet, T[] imageNet)
{
    private readonly T[][] _tables = [cifar, tinyImageNet, imageNet];

    /// <summary>The parameters of a severity.</summary>
    public T this[SeverityTable table, int severity] => _tables[(int)table][severity - 1];
}
