using System.Text.Json;

namespace WeakLink.Interop;

/// <summary>The <c>config.json</c> that timm (PyTorch Image Models) puts beside a network's weights.</summary>
internal static class TimmConfig
{
    private const string Name = "config.json";

    // They have a few thousand characters, class names included a hundred thousand.
    private const int MostCharacters = 1 << 22;

    /// <summary>The normalisation that the configuration beside a file names; null: there is none, or it is another program's.</summary>
    /// <param name="weights">The file with the weights.</param>
    public static (double[] Mean, double[] StandardDeviation)? Beside(string weights)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, Name);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            var config = Json.Parse<Configuration>(TextFile.Read(file, MostCharacters)).Weights;
            return config is { Mean: { } mean, Std: { } deviation } ? (mean, deviation) : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Configuration([property: System.Text.Json.Serialization.JsonPropertyName("pretrained_cfg")] Weights? Weights);

    private sealed record Weights(double[]? Mean, double[]? Std);
}
