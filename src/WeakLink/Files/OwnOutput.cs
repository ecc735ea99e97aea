namespace WeakLink.Files;

/// <summary>
/// What WeakLink has written, known by what lies in it wherever it was moved: it is often written beside or into the data, and must not become a class of them.
/// </summary>
internal static class OwnOutput
{
    /// <summary>The file that marks a folder of corrupted images.</summary>
    public const string Corruptions = "corruptions.json";

    /// <summary>The file that marks a folder of adversarial examples.</summary>
    public const string Attack = "attack.json";

    // A chunk of text (PNG specification, section 11.3.3), the first after the header, of pictures that are for people to look at.
    private static readonly byte[] Mark = [0, 0, 0, 17, .. "tEXtSoftware\0WeakLink"u8];
    private static readonly byte[] PngSignature = [0x89, .. "PNG\r\n\x1A\n"u8];
    private const int MarkAt = 8 + 25;

    private static readonly (string[] Files, string What, string Remedy)[] Folders =
    [
        (["recipe.yaml", "checkpoints"], "the folder of a run", "give the folder of its data"),
        ([Corruptions], "a folder of corrupted images that WeakLink made", "measure on it as evaluation.corrupted-images"),
        ([Attack], "a folder of adversarial examples that WeakLink made", "its folder 'images' can be given as data.extra"),
        (["comparison.json"], "a comparison", "give the folder of its runs' data"),
        (["subnets.json", "subnets.html"], "a study of subnets", "give the folder of its data"),
    ];

    /// <summary>What a folder is that WeakLink wrote, and what to do where it was given as data; null for any other folder.</summary>
    public static (string What, string Remedy)? Of(string folder)
    {
        foreach (var (files, what, remedy) in Folders)
        {
            if (files.All(file => Path.Exists(Path.Combine(folder, file))))
            {
                return (what, remedy);
            }
        }

        return null;
    }

    /// <summary>Marks a PNG file as a picture to look at.</summary>
    public static byte[] Marked(byte[] png)
    {
        var checksum = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(checksum, System.IO.Hashing.Crc32.HashToUInt32(Mark.AsSpan(4)));
        return [.. png.AsSpan(0, MarkAt), .. Mark, .. checksum, .. png.AsSpan(MarkAt)];
    }

    /// <summary>Whether a file is a picture that was marked so; false where it can't be read, which whoever decodes it says.</summary>
    public static bool IsMarked(string path)
    {
        if (!path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        try
        {
            using var file = InputFile.Open(path, 0, share: FileShare.ReadWrite);
            var start = new byte[MarkAt + Mark.Length];
            return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
                && start.AsSpan().StartsWith(PngSignature) && start.AsSpan(MarkAt).SequenceEqual(Mark);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
