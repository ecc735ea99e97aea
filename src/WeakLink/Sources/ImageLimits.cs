namespace WeakLink.Sources;

/// <summary>How large a picture may be that comes from somewhere else.</summary>
/// <param name="Bytes">Bytes before it is decoded.</param>
/// <param name="Pixels">Pixels that it claims, before it is decoded: each takes up to 4 bytes.</param>
public sealed record ImageLimits(long Bytes, long Pixels)
{
    /// <summary>What is decoded at all: a bomb of a few kilobytes can unpack to gigabytes, and no camera makes more than this.</summary>
    public static ImageLimits Largest { get; } = new(1_000_000_000, 200_000_000);
}
