namespace WeakLink.Imaging;

/// <summary>How an image is scaled: what Pillow's and torchvision's filters of these names compute, level by level.</summary>
public enum ResizeFilter
{
    /// <summary>A triangle: what torchvision's networks are measured with.</summary>
    Bilinear,

    /// <summary>Keys's cubic (a = −0.5): what most of timm's networks are measured with.</summary>
    Bicubic,
}
