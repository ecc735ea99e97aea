using WeakLink.Imaging;

namespace WeakLink.Augmentations;

/// <summary>
/// One image on its way through augmentations: three planes (red, green, blue) of bytes. One for every worker thread, used again for
/// image after image: its memory grows to what the largest image needs, and no image allocates any.
/// </summary>
public sealed class ImageBuffer
{
    private byte[] _pixels = [];
    private byte[] _spare = [];
    private byte[] _kept = [];
    private float[] _sums = [];

    /// <summary>Empty: <see cref="Load"/> an image.</summary>
    public ImageBuffer()
    {
    }

    /// <summary>Rows; 0 before the first image.</summary>
    public int Height { get; private set; }

    /// <summary>Columns; 0 before the first image.</summary>
    public int Width { get; private set; }

    /// <summary>Red, green and blue planes, each row by row: 3 × <see cref="Height"/> × <see cref="Width"/> bytes.</summary>
    public Span<byte> Pixels => _pixels.AsSpan(0, ImageView.Channels * Height * Width);

    /// <summary>The image, to be read only.</summary>
    internal ImageView View => new(Pixels, Height, Width);

    /// <summary>The image that <see cref="Keep"/> was called on.</summary>
    internal ReadOnlySpan<byte> Kept => _kept.AsSpan(0, Pixels.Length);

    /// <summary>As many numbers as the image has bytes; what they are is whatever was left there.</summary>
    internal Span<float> Sums => Room(ref _sums, Pixels.Length);

    /// <summary>Copies an image in.</summary>
    /// <param name="planes">Red, green and blue planes, each row by row: 3 × height × width bytes.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <exception cref="ArgumentException">The number of bytes is another.</exception>
    public void Load(ReadOnlySpan<byte> planes, int height, int width)
    {
        var image = new ImageView(planes, height, width);
        image.Planes.CopyTo(Room(ref _pixels, planes.Length));
        (Height, Width) = (height, width);
    }

    /// <summary>Room for a result that can't be made in place; it becomes the image by <see cref="TakeSpare"/>.</summary>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    internal Span<byte> Spare(int height, int width) => Room(ref _spare, ImageView.Channels * height * width);

    /// <summary>The result in <see cref="Spare"/> is the image from now on.</summary>
    internal void TakeSpare(int height, int width)
    {
        (_pixels, _spare) = (_spare, _pixels);
        (Height, Width) = (height, width);
    }

    /// <summary>Puts a copy of the image aside.</summary>
    internal void Keep() => Pixels.CopyTo(Room(ref _kept, Pixels.Length));

    /// <summary>The image is again what <see cref="Keep"/> put aside; its size must be the same.</summary>
    internal void Restore() => Kept.CopyTo(Pixels);

    private static Span<T> Room<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateUninitializedArray<T>(length);
        }

        return array.AsSpan(0, length);
    }
}
