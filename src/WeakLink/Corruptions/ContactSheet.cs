using WeakLink.Data;

namespace WeakLink.Corruptions;

/// <summary>A picture of corrupted images, for people to look at: a row for each corruption, the clean image and then its severities.</summary>
public static class ContactSheet
{
    /// <summary>Draws the sheet into a PNG file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="images">Clean images; each row shows the next one.</param>
    /// <param name="settings">Which corruptions and severities.</param>
    public static void Write(string path, Dataset images, CorruptionSettings settings)
    {
        var sheet = Draw(images, settings);
        AtomicFile.Write(path, stream => stream.Write(sheet));
    }

    /// <summary>Draws the sheet.</summary>
    /// <param name="images">Clean images; each row shows the next one.</param>
    /// <param name="settings">Which corruptions and severities.</param>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(Dataset images, CorruptionSettings settings) => PictureTable.Draw([.. settings.Corruptions.Select((corruption, row) => (
        $"{corruption.Name}: clean, severity {string.Join(", ", settings.Severities)}",
        (IReadOnlyList<Picture>)[
            settings.Crop is { } crop ? Picture.Of(images, row % images.Count).Centre(crop) : Picture.Of(images, row % images.Count),
            .. settings.Severities.Select(severity => Picture.Of(settings.Corrupted(images, corruption, severity), row % images.Count)),
        ]))]);
}
