using SkiaSharp;
using WeakLink.Imaging;

namespace WeakLink.Sources;

/// <summary>Image files: JPEG, PNG, BMP, WebP and GIF (its first picture), whatever their colours, as RGB planes.</summary>
public static class ImageFile
{
    // 128 MB decoded as a whole.
    internal const long LargePixels = 32_000_000;
    private static readonly Lock Large = new();

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
        using var image = EncodedImage.Open(path);
        return (image.Rows.Width, image.Rows.Height);
    }

    /// <summary>
    /// Decodes an image. Grey becomes three equal planes; transparent pixels are laid on white, the page that such pictures are
    /// mostly drawn for; the camera's orientation (Exif) is applied. Scaling and cutting equal torchvision's <c>Resize(size)</c> and
    /// <c>CenterCrop(size)</c> of a Pillow image, level by level.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="size">Scale so that the shorter side has this many pixels, then cut the square in the middle; 0: keep the size.</param>
    /// <param name="filter">How to scale.</param>
    /// <returns>Three planes (red, green, blue), each row by row.</returns>
    /// <exception cref="InputException">The file is missing, truncated or not an image.</exception>
    public static (byte[] Planes, int Width, int Height) Decode(string path, int size = 0, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        using var image = EncodedImage.Open(path);
        return Decode(image, size, filter);
    }

    /// <summary>Decodes an image to the size that a network was trained on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="filter">How to scale.</param>
    /// <returns>Three planes of height × width bytes.</returns>
    /// <exception cref="InputException">The file is no image, or the size is not square and the image has another one.</exception>
    public static byte[] DecodeTo(string path, int width, int height, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        using var image = EncodedImage.Open(path);
        return DecodeTo(image, width, height, filter);
    }

    /// <summary>The same of an image that is no file.</summary>
    /// <param name="encoded">What would be in the file; read to its end.</param>
    /// <param name="name">What to call it, for messages.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="limits">What is too large.</param>
    /// <param name="filter">How to scale.</param>
    /// <returns>Three planes of height × width bytes.</returns>
    /// <exception cref="InputException">It is no image, a larger one, or the size is not square and the image has another one.</exception>
    public static byte[] DecodeTo(Stream encoded, string name, int width, int height, ImageLimits limits, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        using var image = EncodedImage.Read(encoded, name, limits);
        return DecodeTo(image, width, height, filter);
    }

    private static byte[] DecodeTo(EncodedImage image, int width, int height, ResizeFilter filter) =>
        (image.Rows.Width, image.Rows.Height) == (width, height) ? Decode(image, 0, filter).Planes
        : width == height ? Decode(image, width, filter).Planes
        : throw new InputException($"The image '{image.Name}' is {image.Rows.Width}x{image.Rows.Height} pixels, but the network takes {width}x{height}: scale it.");

    private static (byte[] Planes, int Width, int Height) Decode(EncodedImage image, int size, ResizeFilter filter)
    {
        if ((long)image.Rows.Width * image.Rows.Height <= LargePixels)
        {
            return Decode(image.Rows, image.Name, size, filter);
        }

        // However many cores decode, one large image at a time lies in memory.
        lock (Large)
        {
            return Decode(image.Rows, image.Name, size, filter);
        }
    }

    private static (byte[] Planes, int Width, int Height) Decode(UprightRows image, string path, int size, ResizeFilter filter)
    {
        var (columns, rows) = size == 0
            ? (new ScaledLine(image.Width, image.Width), new ScaledLine(image.Height, image.Height))
            : (Middle(image.Width, image.Height, size), Middle(image.Height, image.Width, size));
        var planes = GC.AllocateUninitializedArray<byte>(checked(ImageView.Channels * columns.Count * rows.Count));
        SKCodecResult result;
        if (columns.IsOnlyCut && rows.IsOnlyCut)
        {
            var (left, top) = ((int)columns.First, (int)rows.First);
            result = image.Decode(top, rows.Count, (y, row) => PackedPixels.Unpack(row.Slice(left, columns.Count), planes, (y - top) * columns.Count));
        }
        else
        {
            using var resize = new FilteredResize(columns, rows, filter);
            result = image.Decode(resize.FirstRow, resize.RowCount, resize.Add);
            if (result == SKCodecResult.Success)
            {
                resize.Finish(planes);
            }
        }

        return result == SKCodecResult.Success ? (planes, columns.Count, rows.Count)
            : throw Unreadable(path, result == SKCodecResult.IncompleteInput ? "truncated" : $"damaged ({result})");
    }

    // torchvision's Resize cuts what is left of a pixel off the longer side.
    private static ScaledLine Middle(int side, int other, int size)
    {
        var scaled = side <= other ? size : (long)((double)((long)size * side) / other);
        return new ScaledLine(side, scaled, CentreCrop.First(scaled, size), size);
    }

    internal static InputException Unreadable(string path, string why) => new($"The image '{path}' is {why}: remove or replace it, or set data.skip-bad-images to pass over such files.");
}
