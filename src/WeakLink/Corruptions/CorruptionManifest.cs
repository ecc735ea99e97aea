using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using WeakLink.Data;
using WeakLink.Files;

namespace WeakLink.Corruptions;

/// <summary>What a folder that <see cref="CorruptionWriter"/> wrote holds, and what it was made of; a folder of other images or settings is not added to.</summary>
internal sealed record CorruptionManifest(
    string Data, int Images, int Width, int Height, SeverityTable Table, IReadOnlyList<int> Severities, CorruptionLayout Layout, long Seed, string MadeBy)
{
    /// <summary>The file in such a folder.</summary>
    public const string FileName = OwnOutput.Corruptions;

    /// <summary>Checksum of the clean images and their classes (<see cref="KnownImages.Fingerprint"/>); null in folders of older versions, as the rest.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Class names.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>The class of each image, in order: an index into <see cref="Classes"/>.</summary>
    public IReadOnlyList<int>? Labels { get; init; }

    /// <summary>The hash of each clean image, in order.</summary>
    public IReadOnlyList<string>? Hashes { get; init; }

    /// <summary>
    /// The number that each image's draws follow from, with <see cref="Seed"/> (<see cref="Dataset.Identity"/>), in order; null in folders of versions that drew by an image's
    /// place among those corrupted, which this one can't make again.
    /// </summary>
    public IReadOnlyList<long>? Identities { get; init; }

    /// <summary>Width of the images before they were cut to what a network sees; null in folders of older versions.</summary>
    public int? WholeWidth { get; init; }

    /// <summary>Their height.</summary>
    public int? WholeHeight { get; init; }

    /// <summary>Which textures frost was laid on with (<see cref="FrostTextures.Fingerprint"/>); null: none yet, or an older version.</summary>
    public string? FrostTextures { get; init; }

    /// <summary>
    /// Checksums of what is finished, by its path in the folder: of an array, <c>fog.npy</c>; of the images of a severity, <c>fog/3</c>. Null in folders
    /// of older versions.
    /// </summary>
    public SortedDictionary<string, string>? Checksums { get; init; }

    /// <summary>The manifest of a folder to be written.</summary>
    public static CorruptionManifest Of(Dataset images, KnownImages known, int width, int height, CorruptionSettings settings) =>
        new(images.Name, images.Count, width, height, SeverityTables.For(height, width), settings.Severities, settings.Layout, settings.Seed, "WeakLink: generated, not the published files")
        {
            Fingerprint = known.Fingerprint(),
            Classes = known.Classes,
            Labels = known.Labels,
            Hashes = [.. known.Hashes.Select(KnownImages.Text)],
            Identities = [.. Enumerable.Range(0, images.Count).Select(images.Identity)],
            WholeWidth = images.Width,
            WholeHeight = images.Height,
            FrostTextures = settings.Corruptions.OfType<Frost>().FirstOrDefault()?.Textures.Fingerprint,
            Checksums = new(StringComparer.Ordinal),
        };

    /// <summary>
    /// Whether the folder was made of the same images with the same settings, whatever the data are called, however far it got; frost comes into it once both have some.
    /// </summary>
    public bool IsOfTheSame(CorruptionManifest other) =>
        (this with { Data = other.Data, Checksums = null, FrostTextures = FrostTextures ?? other.FrostTextures }).ToJson()
        == (other with { Checksums = null, FrostTextures = other.FrostTextures ?? FrostTextures }).ToJson();

    /// <summary>Where the array of a corruption lies in the folder.</summary>
    public static string PieceOf(Corruption corruption) => corruption.Name + ".npy";

    /// <summary>Where the images of a corruption and severity lie in the folder.</summary>
    public static string PieceOf(Corruption corruption, int severity) => string.Create(CultureInfo.InvariantCulture, $"{corruption.Name}/{severity}");

    /// <summary>The file of an image in the layout of folders, from the folder of its severity.</summary>
    public string ImageFileOf(int index) => Path.Combine(Classes![Labels![index]], string.Create(CultureInfo.InvariantCulture, $"{index:D6}.jpg"));

    /// <summary>Checksum of a finished array, or of a severity's finished images.</summary>
    /// <exception cref="IOException">A file is missing or can't be read.</exception>
    public string ChecksumOf(string folder, string piece)
    {
        var path = Path.Combine(folder, piece);
        var hash = new XxHash128();
        foreach (var file in Layout == CorruptionLayout.Npy ? [path] : Enumerable.Range(0, Images).Select(i => Path.Combine(path, ImageFileOf(i))))
        {
            using var stream = InputFile.Open(file);
            hash.Append(stream);
            hash.Append(BitConverter.GetBytes(stream.Length));
        }

        return KnownImages.Text(hash.GetCurrentHashAsUInt128());
    }

    /// <summary>Makes sure that a finished array, or a severity's images, are as they were written; older folders don't say.</summary>
    /// <exception cref="InputException">They are not.</exception>
    public void Require(string folder, string piece)
    {
        if (Checksums is null)
        {
            return;
        }

        var path = Path.Combine(folder, piece);
        if (!Checksums.TryGetValue(piece, out var expected))
        {
            throw new InputException($"'{path}' is not listed as finished in {FileName}: remove it, and give the command that wrote the folder again.");
        }

        string found;
        try
        {
            found = ChecksumOf(folder, piece);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{path}' can't be read ({exception.Message.TrimEnd('.')}): copy it again, or remove it and give the command that wrote the folder again.", exception);
        }

        if (found != expected)
        {
            throw new InputException($"'{path}' was changed or damaged after it was written (its checksum is not that of {FileName}): copy it again, or remove it and give the command that wrote the folder again.");
        }
    }

    /// <summary>The images that the corrupted ones were made of; null in folders of older versions.</summary>
    public KnownImages? Originals() => Fingerprint is null || Classes is null || Labels is null || Hashes is null
        ? null
        : new([.. Hashes.Select(text => UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))], Labels, Classes);

    /// <summary>The file's text.</summary>
    public string ToJson() => Json.Sealed(this);

    /// <summary>The manifest of a folder; null where it has none, as published ones, which hold all five severities.</summary>
    /// <exception cref="InputException">It can't be read, or contradicts itself.</exception>
    public static CorruptionManifest? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        CorruptionManifest manifest;
        try
        {
            manifest = Json.ReadSealed<CorruptionManifest>(path, since: "checksums");
            if (manifest.Severities is not { Count: > 0 } severities || !severities.SequenceEqual(severities.Where(Corruption.AllSeverities.Contains).Distinct().Order()))
            {
                throw Damaged("does not say which severities the folder holds", null);
            }

            if (manifest.Layout == CorruptionLayout.Folders && ClassNames.WithoutFolder(manifest.Classes ?? []) is { } unfit)
            {
                throw Damaged($"names the class '{unfit}', which no folder can be called", null);
            }

            return manifest.Originals() is not { } originals || (manifest.Images == originals.Hashes.Count && manifest.Images == originals.Labels.Count
                && originals.Labels.All(label => label >= 0 && label < originals.Classes.Count) && originals.Fingerprint() == manifest.Fingerprint
                && (manifest.Identities is null || manifest.Images == manifest.Identities.Count))
                ? manifest
                : throw Damaged("does not list the images that its own checksum is of", null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or FormatException or OverflowException or ArgumentException)
        {
            throw Damaged("does not say which severities the folder holds", exception);
        }

        InputException Damaged(string how, Exception? reason) =>
            new($"'{path}' {how}{(reason is null ? "" : $" ({Json.Problem(reason)})")}: write the folder again, or delete this file where it holds all five severities.", reason);
    }
}
