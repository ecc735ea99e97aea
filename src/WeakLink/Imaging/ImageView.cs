namespace WeakLink.Imaging;

/// <summary>An RGB image of bytes.</summary>
public readonly ref struct ImageView
{
    /// <summary>Red, green, blue.</summary>
    public const int Channels = 3;

    /// <summary>Looks at bytes as an image.</summary>
    /// <param name="planes">Red, green and blue planes, each row by row, 0 ... 255: 3 × height × width bytes.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <exception cref="ArgumentException">The number of bytes is another.</exception>
    public ImageView(ReadOnlySpan<byte> planes, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (planes.Length != (long)Channels * height * width)
        {
            throw new ArgumentException($"{planes.Length} bytes are not an RGB image of {width}x{height} pixels.", nameof(planes));
        }

        Planes = planes;
        Height = height;
        Width = width;
    }

    /// <summary>Red, green and blue planes, each row by row.</summary>
    public ReadOnlySpan<byte> Planes { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>One plane.</summary>
    internal static Span<byte> Plane(Span<byte> planes, int channel)
    {
        var length = planes.Length / Channels;
        return planes.Slice(channel * length, length);
    }

    /// <inheritdoc cref="Plane(Span{byte}, int)"/>
    internal static ReadOnlySpan<byte> Plane(ReadOnlySpan<byte> planes, int channel)
    {
        var length = planes.Length / Channels;
        return planes.Slice(channel * length, length);
    }

    /// <summary>One plane.</summary>
    public ReadOnlySpan<byte> Plane(int channel) => Planes.Slice(channel * Height * Width, Height * Width);
}
