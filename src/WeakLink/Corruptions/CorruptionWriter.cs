using SkiaSharp;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Processes;

namespace WeakLink.Corruptions;

/// <summary>How corrupted images lie on disk.</summary>
public enum CorruptionLayout
{
    /// <summary>That of CIFAR-10-C: <c>labels.npy</c>, and for each corruption an array of N×H×W×3 bytes, severity after severity.</summary>
    Npy,

    /// <summary>That of ImageNet-C: <c>corruption/severity/class/NUMBER.jpg</c>, JPEG of quality 85 as the published ones.</summary>
    Folders,
}

/// <summary>What to write.</summary>
/// <param name="Corruptions">Which corruptions.</param>
/// <param name="Severities">Which of 1 ... 5, ascending.</param>
/// <param name="Layout">How they lie on disk.</param>
/// <param name="Seed">Seed of all draws.</param>
public sealed record CorruptionSettings(IReadOnlyList<Corruption> Corruptions, IReadOnlyList<int> Severities, CorruptionLayout Layout, long Seed)
{
    /// <summary>What a network sees of the images, which is all that is corrupted then; null: they are corrupted whole.</summary>
    public CentreCrop? Crop { get; init; }

    /// <summary>Images corrupted as these settings say.</summary>
    internal CorruptedDataset Corrupted(Dataset images, Corruption corruption, int severity) =>
        new(images, Crop ?? new CentreCrop(images.Height, images.Width), corruption, severity, Seed);
}

/// <summary>Makes the corruption benchmark of any data set. What is already there from an earlier, interrupted call is kept.</summary>
public static class CorruptionWriter
{
    private const int PublishedJpegQuality = 85;
    private const int MostImagesAtATime = 256;
    private const int BytesAtATime = 64 << 20;
    private const string LockName = ".lock";

    /// <summary>Writes corrupted images.</summary>
    /// <param name="images">Clean images.</param>
    /// <param name="settings">What to write.</param>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="processes">Those that write together: each a corruption, then another. Null: this one alone.</param>
    /// <param name="stop">Stops between two pieces.</param>
    /// <exception cref="InputException">The folder holds corruptions of other images or made with other settings, another command writes there, a class has a name that no folder can have, or the disk is full.</exception>
    public static void Write(Dataset images, CorruptionSettings settings, string folder, IRunObserver observer, ProcessGroup? processes = null, CancellationToken stop = default)
    {
        processes ??= ProcessGroup.Alone;
        if (settings.Layout == CorruptionLayout.Folders && ClassNames.WithoutFolder(images.Classes) is { } unfit)
        {
            throw new InputException($"The class '{unfit}' of {images.Name} can't be the name of a folder: write arrays instead of folders, or rename the class.");
        }

        FileStream? held = null;
        try
        {
            var manifest = processes.LeaderFirst(() =>
            {
                held = processes.Leads ? Lock(folder) : null;
                return Prepare(images, KnownImages.Of(images, observer, stop), settings, folder);
            });
            Write(images, settings, folder, manifest, observer, processes, stop);
        }
        finally
        {
            held?.Dispose();
        }
    }

    // What is finished is listed by the command that made it: two at once would each leave out the other's, and take its temporary files for leftovers.
    private static FileStream Lock(string folder) =>
        LockFile.Take(Path.Combine(folder, LockName)) ?? throw new InputException($"Another process is writing into '{folder}': wait for it, or choose another folder.");

    private static void Write(Dataset images, CorruptionSettings settings, string folder, CorruptionManifest manifest, IRunObserver observer, ProcessGroup processes, CancellationToken stop)
    {
        // Nobody writes while another one still clears away what was left behind.
        processes.Barrier();
        var total = (long)settings.Corruptions.Count * settings.Severities.Count * images.Count;
        observer.Begin("corrupting", total, "images");
        var done = 0L;
        foreach (var round in settings.Corruptions.Chunk(processes.Size))
        {
            if (processes.Rank < round.Length)
            {
                var (corruption, before) = (round[processes.Rank], done);
                if (settings.Layout == CorruptionLayout.Npy)
                {
                    WriteArray(images, corruption, settings, folder, manifest, processes.Size == 1, Told, stop);
                }
                else
                {
                    WriteFolders(images, corruption, settings, folder, manifest, processes.Size == 1, Told, stop);
                }

                done = before + ((long)round.Length * settings.Severities.Count * images.Count);

                void Told(int count) => observer.Advance(done += count * round.Length, corruption.Name);
            }

            if (processes.Size > 1)
            {
                // Each knows of its own pieces, and the first one lists them all.
                foreach (var (piece, checksum) in processes.Gather(manifest.Checksums!).SelectMany(its => its).ToList())
                {
                    manifest.Checksums![piece] = checksum;
                }

                List(manifest, folder, processes.Leads);
            }
        }
    }

    private static CorruptionManifest Prepare(Dataset images, KnownImages known, CorruptionSettings settings, string folder)
    {
        var manifest = CorruptionManifest.Of(images, known, settings.Crop?.Width ?? images.Width, settings.Crop?.Height ?? images.Height, settings);
        var path = Path.Combine(folder, CorruptionManifest.FileName);
        try
        {
            Directory.CreateDirectory(folder);
            if (!File.Exists(path))
            {
                if (Directory.EnumerateFileSystemEntries(folder).Any(entry => Path.GetFileName(entry) != LockName))
                {
                    throw new InputException($"'{folder}' holds other files: give an empty or new folder.");
                }

                AtomicFile.Write(path, manifest.ToJson());
            }
            else if (CorruptionManifest.Read(folder) is { } there)
            {
                manifest = there.IsOfTheSame(manifest) ? there with { Checksums = there.Checksums ?? manifest.Checksums, FrostTextures = there.FrostTextures ?? manifest.FrostTextures } : throw Other(folder, there, manifest);
                if (manifest.FrostTextures != there.FrostTextures)
                {
                    AtomicFile.Write(path, manifest.ToJson());
                }
            }

            foreach (var partial in Directory.EnumerateFiles(folder, "*" + AtomicFile.TemporarySuffix, SearchOption.AllDirectories))
            {
                File.Delete(partial);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWriteInto(folder, exception);
        }

        var labels = Path.Combine(folder, "labels.npy");
        if (settings.Layout == CorruptionLayout.Npy && !File.Exists(labels))
        {
            AtomicFile.Write(labels, stream =>
            {
                stream.Write(NumpyFile.Header("<i8", [(long)images.Count * settings.Severities.Count]));
                for (var i = 0; i < images.Count * settings.Severities.Count; i++)
                {
                    stream.Write(BitConverter.GetBytes((long)images.Label(i % images.Count)));
                }
            });
        }

        return manifest;
    }

    private static InputException Other(string folder, CorruptionManifest there, CorruptionManifest manifest) => new(there.Fingerprint is null
        ? $"'{folder}' was begun by an older version, which did not record what images it was made of: give another folder."
        : !there.Hashes!.SequenceEqual(manifest.Hashes!) || there.Fingerprint != manifest.Fingerprint
        ? $"'{folder}' holds corruptions of other images ({there.Images:n0} of '{there.Data}') than these {manifest.Images:n0} of '{manifest.Data}': give another folder."
        : there.Identities is null
        ? $"'{folder}' was begun by an older version, whose random draws followed from an image's place and can't be made again: it can be measured on as it is (evaluation.corrupted-images); to write more, give another folder."
        : !there.Identities.SequenceEqual(manifest.Identities!)
        ? $"'{folder}' holds corruptions of these images under other names or numbers, from which the random draws follow: give another folder, or the images as they were called."
        : $"'{folder}' holds corruptions of these images made with other settings ({CorruptionManifest.FileName} says which): give another folder, or the same settings to go on.");

    // A few, or one of a photograph's size: an array of them all may be longer than arrays are.
    private static int ImagesAtATime(int count, int bytes) => Math.Clamp(BytesAtATime / bytes, 1, Math.Min(MostImagesAtATime, Math.Max(count, 1)));

    // What is finished is listed with its checksum. What was listed already is as it was, unless all of it was written anew, maybe by another machine, which rounds otherwise.
    private static void Finish(CorruptionManifest manifest, string folder, string piece, bool isNew, bool lists)
    {
        if (!isNew && manifest.Checksums!.ContainsKey(piece))
        {
            manifest.Require(folder, piece);
            return;
        }

        manifest.Checksums![piece] = manifest.ChecksumOf(folder, piece);
        List(manifest, folder, lists);
    }

    private static void List(CorruptionManifest manifest, string folder, bool lists)
    {
        if (lists)
        {
            AtomicFile.Write(Path.Combine(folder, CorruptionManifest.FileName), manifest.ToJson());
        }
    }

    private static void WriteArray(
        Dataset images, Corruption corruption, CorruptionSettings settings, string folder, CorruptionManifest manifest, bool lists, Action<int> advance, CancellationToken stop)
    {
        var piece = CorruptionManifest.PieceOf(corruption);
        var path = Path.Combine(folder, piece);
        if (File.Exists(path) && manifest.Checksums!.ContainsKey(piece))
        {
            Finish(manifest, folder, piece, isNew: false, lists);
            advance(images.Count * settings.Severities.Count);
            return;
        }

        AtomicFile.Write(path, stream =>
        {
            var seen = settings.Corrupted(images, corruption, settings.Severities[0]);
            stream.Write(NumpyFile.Header("|u1", [(long)images.Count * settings.Severities.Count, seen.Height, seen.Width, ImageView.Channels]));
            var together = ImagesAtATime(images.Count, seen.BytesPerImage);
            var pixels = new byte[together * seen.BytesPerImage];
            foreach (var severity in settings.Severities)
            {
                var corrupted = settings.Corrupted(images, corruption, severity);
                for (var first = 0; first < images.Count; first += together)
                {
                    stop.ThrowIfCancellationRequested();
                    var count = Math.Min(together, images.Count - first);
                    Each(count, i => Interleave(corrupted, first + i, pixels.AsSpan(i * seen.BytesPerImage, seen.BytesPerImage)));
                    stream.Write(pixels, 0, count * seen.BytesPerImage);
                    advance(count);
                }
            }
        });
        Finish(manifest, folder, piece, isNew: true, lists);
    }

    private static void WriteFolders(
        Dataset images, Corruption corruption, CorruptionSettings settings, string folder, CorruptionManifest manifest, bool lists, Action<int> advance, CancellationToken stop)
    {
        foreach (var severity in settings.Severities)
        {
            var corrupted = settings.Corrupted(images, corruption, severity);
            var piece = CorruptionManifest.PieceOf(corruption, severity);
            var target = Path.Combine(folder, piece);
            var (isNew, together) = (!Directory.Exists(target), ImagesAtATime(images.Count, corrupted.BytesPerImage));
            for (var first = 0; first < images.Count; first += together)
            {
                stop.ThrowIfCancellationRequested();
                var start = first;
                var count = Math.Min(together, images.Count - first);
                Each(count, i => WriteFile(corrupted, start + i, Path.Combine(target, manifest.ImageFileOf(start + i))));
                advance(count);
            }

            Finish(manifest, folder, piece, isNew, lists);
        }
    }

    private static void WriteFile(CorruptedDataset images, int index, string path)
    {
        // A power cut can leave the name of one whose bytes were not on the disk yet.
        if (new FileInfo(path) is { Exists: true, Length: > 0 })
        {
            return;
        }

        var planes = new byte[images.BytesPerImage];
        images.Read(index, planes);
        using var bitmap = Bitmaps.Of(new ImageView(planes, images.Height, images.Width));
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Jpeg, PublishedJpegQuality);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // One of many that can be made again: renamed when whole, but not flushed one by one.
            var temporary = path + AtomicFile.TemporarySuffix;
            File.WriteAllBytes(temporary, encoded.ToArray());
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{path}' could not be written ({exception.Message.TrimEnd('.')}): free some space or check the permissions, then give the same command again; it goes on where it was.", exception);
        }
    }

    private static void Interleave(CorruptedDataset images, int index, Span<byte> pixels)
    {
        var planes = new byte[images.BytesPerImage];
        images.Read(index, planes);
        var area = images.Height * images.Width;
        for (var i = 0; i < area; i++)
        {
            pixels[3 * i] = planes[i];
            pixels[(3 * i) + 1] = planes[area + i];
            pixels[(3 * i) + 2] = planes[(2 * area) + i];
        }
    }

    // Parallel.For wraps what its body throws.
    private static void Each(int count, Action<int> action)
    {
        try
        {
            Parallel.For(0, count, action);
        }
        catch (AggregateException exception) when (exception.InnerException is InputException first)
        {
            throw first;
        }
    }
}
