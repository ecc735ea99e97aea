using System.Text.Json;
using System.Text.Json.Serialization;
using WeakLink.Imaging;
using WeakLink.Interop;

namespace WeakLink.Data;

/// <summary>
/// What becomes of an image file before a network sees it, so that other programs can do the same: turned upright, laid on white where
/// it is transparent, made RGB; scaled and cut to <see cref="Height"/> × <see cref="Width"/>; of that the middle; divided by 255.
/// </summary>
public sealed record ImagePreparation
{
    private const string Exif = "exif";
    private const string White = "white";
    private const string ShorterSide = "shorterSide";
    private const string None = "none";
    private const string Bilinear = "bilinearAntialiased";
    private const string Bicubic = "bicubicAntialiased";
    private const string Rgb = "RGB";

    /// <summary>For images that are seen whole.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    public ImagePreparation(int height, int width)
        : this(height, width, height, width)
    {
    }

    /// <summary>For images of which the middle is seen.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="cropHeight">Height of the middle.</param>
    /// <param name="cropWidth">Width of the middle.</param>
    /// <exception cref="InputException">The middle is larger than the image.</exception>
    public ImagePreparation(int height, int width, int cropHeight, int cropWidth)
    {
        if (!IsPart(cropHeight, height) || !IsPart(cropWidth, width))
        {
            throw new InputException($"A crop of {cropWidth}x{cropHeight} pixels is no part of images of {width}x{height}: set augmentation.crop to at most their size, or data.size to at least the crop's.");
        }

        (Height, Width, CropHeight, CropWidth) = (height, width, cropHeight, cropWidth);
    }

    /// <summary>Height to which an image is scaled and cut, in pixels.</summary>
    public int Height { get; }

    /// <summary>Width to which an image is scaled and cut, in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the middle that the network sees, in pixels.</summary>
    public int CropHeight { get; }

    /// <summary>Width of the middle that the network sees, in pixels.</summary>
    public int CropWidth { get; }

    /// <summary>How images of another size are scaled.</summary>
    public ResizeFilter Filter { get; init; }

    /// <summary>
    /// Whether images of another size are scaled (the shorter side to the size, with antialiasing, then the square in the middle);
    /// where the size is not square they are refused.
    /// </summary>
    public bool Scales => Height == Width;

    /// <summary>As JSON, for an exported file's metadata.</summary>
    internal string ToJson() => JsonSerializer.Serialize(
        new Written(Exif, White, Height, Width, Scales ? ShorterSide : None, Filter == ResizeFilter.Bicubic ? Bicubic : Bilinear, CropHeight, CropWidth, Rgb, [0, 1]), Json.Line);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="path">The file that it is from, for messages.</param>
    /// <exception cref="InputException">It is damaged, or of a preparation that WeakLink does not make.</exception>
    internal static ImagePreparation Parse(string json, string path)
    {
        try
        {
            var written = Json.Parse<Written>(json);
            if (IsPart(written.CropHeight, written.Height) && IsPart(written.CropWidth, written.Width)
                && new ImagePreparation(written.Height, written.Width, written.CropHeight, written.CropWidth) { Filter = written.Filter == Bicubic ? ResizeFilter.Bicubic : ResizeFilter.Bilinear } is var preparation
                && preparation.ToJson() == JsonSerializer.Serialize(written, Json.Line))
            {
                return preparation;
            }
        }
        catch (JsonException exception)
        {
            throw new InputException($"The checkpoint '{path}' is damaged: its metadata '{ExportMetadata.Preparation}' are not what WeakLink writes there.", exception);
        }

        throw new InputException($"The checkpoint '{path}' wants its images prepared in a way that this WeakLink does not know ({json}): take the newest WeakLink.");
    }

    private static bool IsPart(int part, int whole) => part >= 1 && part <= whole;

    // The names are the format: docs/interop.md.
    private sealed record Written(
        [property: JsonRequired] string Orientation,
        [property: JsonRequired] string Background,
        [property: JsonRequired] int Height,
        [property: JsonRequired] int Width,
        [property: JsonRequired] string Resize,
        [property: JsonRequired] string Filter,
        [property: JsonRequired] int CropHeight,
        [property: JsonRequired] int CropWidth,
        [property: JsonRequired] string Channels,
        [property: JsonRequired] int[] Range);
}
