using WeakLink.Imaging;

namespace WeakLink.Perturbations;

/// <summary>What a network sees of an image: its centre.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct View(int Height, int Width)
{
    /// <summary>Bytes of what is seen: 3 × height × width.</summary>
    public int Bytes => ImageView.Channels * Height * Width;

    /// <summary>The first row that is seen.</summary>
    public int Top(ImageView image) => (image.Height - Height) / 2;

    /// <summary>The first column that is seen.</summary>
    public int Left(ImageView image) => (image.Width - Width) / 2;

    /// <summary>Copies what is seen.</summary>
    /// <param name="image">The image.</param>
    /// <param name="seen">Receives 3 × height × width bytes.</param>
    public void Cut(ImageView image, Span<byte> seen)
    {
        for (var (channel, to) = (0, 0); channel < ImageView.Channels; channel++)
        {
            for (var y = 0; y < Height; y++, to += Width)
            {
                image.Plane(channel).Slice(((Top(image) + y) * image.Width) + Left(image), Width).CopyTo(seen[to..]);
            }
        }
    }
}
