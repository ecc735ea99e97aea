using SkiaSharp;
using WeakLink.Imaging;

namespace WeakLink.Data;

/// <summary>Image files: JPEG, PNG, BMP, WebP and GIF (its first picture), whatever their colours, as RGB planes.</summary>
public static class ImageFile
{
    // A bomb of a few kilobytes can unpack to gigabytes: no camera makes more than this.
    private const long LargestPixels = 200_000_000;

    /// <summary>The formats, for messages.</summary>
    public const string Formats = "JPEG, PNG, BMP, WebP or GIF";

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".png", ".bmp", ".webp", ".gif"];

    /// <summary>Whether the file's name says that it is an image of a supported kind.</summary>
    public static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The images in a folder and below, each once, whatever links lead to it; hidden ones and pictures that WeakLink wrote to be looked at are left out.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="passed">Receives what is left out.</param>
    /// <exception cref="InputException">A folder can't be read.</exception>
    public static IReadOnlyList<string> In(string folder, PassedOver passed) =>
        FolderTree.Images([new FolderTree.Child("", folder, FolderTree.Read(folder), IsLink: false)], [], passed)[0];

    /// <summary>Width and height after turning the image upright, from the header alone.</summary>
    /// <exception cref="InputException">The file is missing or not an image.</exception>
    public static (int Width, int Height) Size(string path)
    {
        using var stream = Open(path);
        using var codec = Codec(stream, path);
        return Turned(codec.EncodedOrigin) ? (codec.Info.Height, codec.Info.Width) : (codec.Info.Width, codec.Info.Height);
    }

    /// <summary>
    /// Decodes an image. Grey becomes three equal planes; transparent pixels are laid on white, the page that such pictures are
    /// mostly drawn for; the camera's orientation is applied.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="size">Scale so that the shorter side has this many pixels, then cut the square in the middle; 0: keep the size.</param>
    /// <returns>Three planes (red, green, blue), each row by row.</returns>
    /// <exception cref="InputException">The file is missing, truncated or not an image.</exception>
    public static (byte[] Planes, int Width, int Height) Decode(string path, int size = 0)
    {
        using var stream = Open(path);
        using var codec = Codec(stream, path);
        using var decoded = Pixels(codec, path, size);
        if (codec.EncodedOrigin == SKEncodedOrigin.TopLeft && (size == 0 || (decoded.Width, decoded.Height) == (size, size)))
        {
            return (Planes(decoded), decoded.Width, decoded.Height);
        }

        var (width, height) = Turned(codec.EncodedOrigin) ? (decoded.Height, decoded.Width) : (decoded.Width, decoded.Height);
        var scale = size == 0 ? 1 : (float)size / Math.Min(width, height);
        var (outWidth, outHeight) = size == 0 ? (width, height) : (size, size);
        using var target = new SKBitmap(new SKImageInfo(outWidth, outHeight, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(target))
        using (var image = SKImage.FromBitmap(decoded))
        using (var paint = new SKPaint { BlendMode = SKBlendMode.Src })
        {
            canvas.Translate((outWidth - (width * scale)) / 2, (outHeight - (height * scale)) / 2);
            canvas.Scale(scale);
            canvas.Concat(Upright(codec.EncodedOrigin, decoded.Width, decoded.Height));
            // The nearest of the halved images, not a mixture of two: that takes six times as long for a difference nobody sees.
            var sampling = scale < 1 ? new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Nearest)
                : scale > 1 ? new SKSamplingOptions(SKCubicResampler.Mitchell)
                : new SKSamplingOptions(SKFilterMode.Nearest);
            canvas.DrawImage(image, 0, 0, sampling, paint);
        }

        return (Planes(target), outWidth, outHeight);
    }

    /// <summary>Decodes an image to the size that a network was trained on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <returns>Three planes of height × width bytes.</returns>
    /// <exception cref="InputException">The file is no image, or the size is not square and the image has another one.</exception>
    public static byte[] DecodeTo(string path, int width, int height)
    {
        var found = Size(path);
        return found == (width, height) ? Decode(path).Planes
            : width == height ? Decode(path, width).Planes
            : throw new InputException($"The image '{path}' is {found.Width}x{found.Height} pixels, but the network takes {width}x{height}: scale it.");
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The image '{path}' can't be opened ({exception.Message.TrimEnd('.')}): check the path and its permissions.", exception);
        }
    }

    private static SKCodec Codec(FileStream stream, string path)
    {
        using var managed = new SKManagedStream(stream, disposeManagedStream: false);
        var codec = SKCodec.Create(managed) ?? throw new InputException($"'{path}' is not a readable image ({Formats}): remove or replace it (train and predict pass over such files with --skip-bad-images).");
        if ((long)codec.Info.Width * codec.Info.Height > LargestPixels)
        {
            var (width, height) = (codec.Info.Width, codec.Info.Height);
            codec.Dispose();
            throw new InputException($"'{path}' claims {width}x{height} pixels, more than the {LargestPixels / 1_000_000} megapixels that are decoded: scale it down or remove it.");
        }

        return codec;
    }

    private static SKBitmap Pixels(SKCodec codec, string path, int size)
    {
        var info = codec.Info;
        if (size > 0 && Math.Min(info.Width, info.Height) > 2 * size)
        {
            // JPEG can be decoded at 1/2, 1/4, 1/8: keep at least the size asked for.
            var scaled = codec.GetScaledDimensions((float)size / Math.Min(info.Width, info.Height));
            for (var eighths = 1; eighths < 8 && Math.Min(scaled.Width, scaled.Height) < size; eighths++)
            {
                scaled = codec.GetScaledDimensions(eighths / 8f);
            }

            info = new SKImageInfo(scaled.Width, scaled.Height);
        }

        var bitmap = new SKBitmap(new SKImageInfo(info.Width, info.Height, SKColorType.Rgba8888, codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Premul));
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            bitmap.Dispose();
            throw new InputException(
                $"The image '{path}' is {(result == SKCodecResult.IncompleteInput ? "truncated" : $"damaged ({result})")}: remove or replace it (train and predict pass over such files with --skip-bad-images).");
        }

        if (bitmap.Info.AlphaType != SKAlphaType.Opaque)
        {
            var opaque = new SKBitmap(new SKImageInfo(info.Width, info.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
            using var canvas = new SKCanvas(opaque);
            canvas.Clear(SKColors.White);
            canvas.DrawBitmap(bitmap, 0, 0);
            bitmap.Dispose();
            return opaque;
        }

        return bitmap;
    }

    private static byte[] Planes(SKBitmap bitmap)
    {
        var planes = GC.AllocateUninitializedArray<byte>(ImageView.Channels * bitmap.Width * bitmap.Height);
        Bitmaps.CopyPlanes(bitmap, planes);
        return planes;
    }

    private static bool Turned(SKEncodedOrigin origin) =>
        origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;

    // Exif 2.3, section 4.6.4, tag Orientation: where the first row and column of the stored image belong.
    private static SKMatrix Upright(SKEncodedOrigin origin, int width, int height) => origin switch
    {
        SKEncodedOrigin.TopRight => new SKMatrix(-1, 0, width, 0, 1, 0, 0, 0, 1),
        SKEncodedOrigin.BottomRight => new SKMatrix(-1, 0, width, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.BottomLeft => new SKMatrix(1, 0, 0, 0, -1, height, 0, 0, 1),
        SKEncodedOrigin.LeftTop => new SKMatrix(0, 1, 0, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightTop => new SKMatrix(0, -1, height, 1, 0, 0, 0, 0, 1),
        SKEncodedOrigin.RightBottom => new SKMatrix(0, -1, height, -1, 0, width, 0, 0, 1),
        SKEncodedOrigin.LeftBottom => new SKMatrix(0, 1, 0, -1, 0, width, 0, 0, 1),
        _ => SKMatrix.Identity,
    };
}
