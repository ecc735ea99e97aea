namespace WeakLink.Imaging;

/// <summary>What a network sees of an image that it is measured on: the middle, where torchvision's <c>CenterCrop</c> cuts it.</summary>
/// <param name="Height">Rows that are seen.</param>
/// <param name="Width">Columns that are seen.</param>
public readonly record struct CentreCrop(int Height, int Width)
{
    /// <summary>Bytes of what is seen: 3 × height × width.</summary>
    public int Bytes => ImageView.Channels * Height * Width;

    /// <summary>Whether an image of this size has such a middle.</summary>
    public bool Fits(int height, int width) => Height >= 1 && Width >= 1 && Height <= height && Width <= width;

    /// <summary>The first row that is seen.</summary>
    public int Top(ImageView image) => (int)First(image.Height, Height);

    /// <summary>The first column that is seen.</summary>
    public int Left(ImageView image) => (int)First(image.Width, Width);

    /// <summary>Copies what is seen.</summary>
    /// <param name="image">The image, at least as large.</param>
    /// <param name="seen">Receives <see cref="Bytes"/> bytes: three planes, each row by row.</param>
    /// <exception cref="ArgumentException">The image is smaller.</exception>
    public void Cut(ImageView image, Span<byte> seen)
    {
        Require(image);
        var (top, left) = (Top(image), Left(image));
        for (var (channel, to) = (0, 0); channel < ImageView.Channels; channel++)
        {
            for (var y = 0; y < Height; y++, to += Width)
            {
                image.Plane(channel).Slice(((top + y) * image.Width) + left, Width).CopyTo(seen[to..]);
            }
        }
    }

    /// <exception cref="ArgumentException">The image is smaller.</exception>
    internal void Require(ImageView image)
    {
        if (!Fits(image.Height, image.Width))
        {
            throw new ArgumentException($"A crop of {Width}x{Height} pixels does not lie in an image of {image.Width}x{image.Height}.", nameof(image));
        }
    }

    /// <summary>The first of the middle pixels of a line; of two equally good ones the even one, as torchvision rounds.</summary>
    /// <param name="length">Pixels of the line.</param>
    /// <param name="kept">How many are kept, at most <paramref name="length"/>.</param>
    internal static long First(long length, int kept) => (long)Math.Round((length - kept) / 2.0, MidpointRounding.ToEven);
}
