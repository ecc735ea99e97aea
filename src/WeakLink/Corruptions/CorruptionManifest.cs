using System.Text.Json;

namespace WeakLink.Corruptions;

/// <summary>What all images of a folder that <see cref="CorruptionWriter"/> wrote have in common; a folder of other settings is not added to.</summary>
internal sealed record CorruptionManifest(
    string Data, int Images, int Width, int Height, SeverityTable Table, IReadOnlyList<int> Severities, CorruptionLayout Layout, long Seed, string MadeBy)
{
    /// <summary>The file in such a folder.</summary>
    public const string FileName = "corruptions.json";

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json.Named);

    /// <summary>Which severities a folder holds: those that its manifest names, or all five where it has none, as published folders.</summary>
    /// <exception cref="InputException">The manifest can't be read.</exception>
    public static IReadOnlyList<int> SeveritiesOf(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return Corruption.AllSeverities;
        }

        try
        {
            if (Json.Read<CorruptionManifest>(path).Severities is { Count: > 0 } severities
                && severities.SequenceEqual(severities.Where(Corruption.AllSeverities.Contains).Distinct().Order()))
            {
                return severities;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Damaged(exception);
        }

        throw Damaged(null);

        InputException Damaged(Exception? reason) =>
            new($"'{path}' does not say which severities the folder holds{(reason is null ? "" : $" ({Json.Problem(reason)})")}: write the folder again, or delete this file where it holds all five.", reason);
    }
}
