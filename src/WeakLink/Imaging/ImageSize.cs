namespace WeakLink.Imaging;

/// <summary>Height and width of images in pixels.</summary>
public sealed record ImageSize([property: Limits(0, 1 << 20)] int Height, [property: Limits(0, 1 << 20)] int Width);
