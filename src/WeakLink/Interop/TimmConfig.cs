using System.Text.Json;

using System.Text.Json.Serialization;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Interop;

/// <summary>What the <c>config.json</c> says that timm (PyTorch Image Models) puts beside a network's weights: how images are normalised and prepared.</summary>
/// <param name="Mean">What is subtracted from each channel of images in [0, 1].</param>
/// <param name="StandardDeviation">What the difference is divided by.</param>
/// <param name="Preparation">What becomes of an image before that; null: it does not say, or something that WeakLink does not do.</param>
/// <param name="Architecture">What timm calls the network; null: it does not say.</param>
internal sealed record TimmConfig(double[] Mean, double[] StandardDeviation, ImagePreparation? Preparation, string? Architecture)
{
    /// <summary>What the file is called.</summary>
    public const string Name = "config.json";

    // They have a few thousand characters, class names included a hundred thousand.
    private const int MostCharacters = 1 << 22;

    // Of data.size.
    private const int LargestSide = 4096;

    /// <summary>The configuration beside a file; null: there is none, or it is another program's.</summary>
    /// <param name="weights">The file with the weights.</param>
    public static TimmConfig? Beside(string weights)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, Name);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            var (architecture, config) = Json.Parse<Configuration>(TextFile.Read(file, MostCharacters));
            return config is { Mean: { } mean, Std: { } deviation } ? new TimmConfig(mean, deviation, PreparationOf(config), architecture) : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether the network computes something else from the same tensors as torchvision's: timm's resnetaa and resnetblur smooth what they halve, by filters that no file holds
    /// (timm/models/resnet.py, aa_layer).
    /// </summary>
    public bool IsSmoothed => Architecture is not null && (Architecture.StartsWith("resnetaa", StringComparison.Ordinal) || Architecture.StartsWith("resnetblur", StringComparison.Ordinal));

    // timm's data.create_transform for evaluation (transforms_imagenet_eval): Resize(floor(size / crop_pct)), then CenterCrop(size).
    private static ImagePreparation? PreparationOf(Weights config) =>
        config is { InputSize: [Dataset.Channels, > 0 and var side, var width], CropPct: > 0 and <= 1 and var part, CropMode: null or "center" } && width == side && side / part is <= LargestSide and var whole
        && Filter(config.Interpolation) is { } filter ? new ImagePreparation((int)whole, (int)whole, side, side) { Filter = filter } : null;

    private static ResizeFilter? Filter(string? name) => name switch
    {
        "bicubic" => ResizeFilter.Bicubic,
        "bilinear" => ResizeFilter.Bilinear,
        _ => null,
    };

    private sealed record Configuration(string? Architecture, [property: JsonPropertyName("pretrained_cfg")] Weights? Weights);

    private sealed record Weights(
        double[]? Mean,
        double[]? Std,
        [property: JsonPropertyName("input_size")] int[]? InputSize,
        [property: JsonPropertyName("crop_pct")] double CropPct,
        [property: JsonPropertyName("crop_mode")] string? CropMode,
        string? Interpolation);
}
