using SkiaSharp;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Sources;

/// <summary>An image before it is decoded: a file, or what would be one.</summary>
internal sealed class EncodedImage : IDisposable
{
    // A white page of one bit a pixel as PNG: deflate makes one byte of at most 1,032.
    private const long MostPixelsOfAByte = 8 * 1032;

    private readonly FileStream? _file;
    private readonly byte[] _bytes;
    private readonly SKCodec _codec;

    // Skia reads the file itself: a damaged BMP makes it ask for more bytes than a .NET stream has numbers for, and an exception that crosses native code ends
    // the process. (Not mapped into memory either: a file that shrinks meanwhile would.)
    private EncodedImage(string name, FileStream? file, byte[] bytes, ImageLimits limits)
    {
        SkiaLibrary.Require();
        (Name, _file, _bytes) = (name, file, bytes);
        using var data = file is null ? SKData.CreateCopy(bytes) : null;
        using var stream = file is null ? null : new SKFileStream(name);
        _codec = (data is not null ? SKCodec.Create(data) : stream!.IsValid ? SKCodec.Create(stream) : null)
            ?? throw new InputException($"'{name}' is not a readable image ({ImageFile.Formats}): remove or replace it, or set data.skip-bad-images to pass over such files.");
        try
        {
            RequirePlausible(file?.Length ?? bytes.Length, limits.Pixels);
            // Skia reads the orientation of JPEG and WebP, but not of PNG.
            Rows = new UprightRows(_codec, _codec.EncodedFormat == SKEncodedImageFormat.Png ? PngOrientation.Read(this) : _codec.EncodedOrigin);
        }
        catch
        {
            _codec.Dispose();
            throw;
        }
    }

    /// <summary>The file's path, or what the image is called.</summary>
    public string Name { get; }

    /// <summary>Decodes it, once.</summary>
    public UprightRows Rows { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="InputException">The file is missing or not an image.</exception>
    public static EncodedImage Open(string path)
    {
        var file = OpenFile(path);
        try
        {
            return new EncodedImage(path, file, [], ImageLimits.Largest);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes what would be in a file.</summary>
    /// <param name="stream">Read to its end.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="limits">What is too large.</param>
    /// <exception cref="InputException">It is no image, or a larger one.</exception>
    public static EncodedImage Read(Stream stream, string name, ImageLimits limits)
    {
        using var bytes = new MemoryStream();
        var part = new byte[1 << 16];
        while (stream.Read(part) is > 0 and var count)
        {
            if (bytes.Length + count > limits.Bytes)
            {
                throw new InputException(FormattableString.Invariant($"'{name}' has more than the {limits.Bytes:n0} bytes that are read of an image: make it smaller."));
            }

            bytes.Write(part, 0, count);
        }

        return new EncodedImage(name, null, bytes.ToArray(), limits);
    }

    /// <summary>Reads bytes as they are in the file.</summary>
    /// <param name="target">Receives them.</param>
    /// <param name="offset">Where they stand.</param>
    /// <returns>How many there were.</returns>
    public int ReadAt(Span<byte> target, long offset)
    {
        if (_file is not null)
        {
            return RandomAccess.Read(_file.SafeFileHandle, target, offset);
        }

        var there = _bytes.AsSpan((int)Math.Min(offset, _bytes.Length));
        there = there[..Math.Min(there.Length, target.Length)];
        there.CopyTo(target);
        return there.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _codec.Dispose();
        _file?.Dispose();
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            return InputFile.Open(path, 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The image '{path}' can't be opened ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    private void RequirePlausible(long length, long mostPixels)
    {
        var (width, height) = (_codec.Info.Width, _codec.Info.Height);
        var pixels = (long)width * height;
        if (pixels > ImageFile.LargePixels && pixels > MostPixelsOfAByte * length)
        {
            throw ImageFile.Unreadable(Name, FormattableString.Invariant($"damaged ({width}x{height} pixels can't be in its {length:n0} bytes)"));
        }

        if (pixels > mostPixels)
        {
            throw new InputException(FormattableString.Invariant($"'{Name}' claims {width}x{height} pixels, more than the {mostPixels:n0} that are decoded: scale it down or remove it."));
        }
    }
}
