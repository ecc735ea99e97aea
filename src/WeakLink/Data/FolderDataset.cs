using WeakLink.Runtime;

namespace WeakLink.Data;

/// <summary>Images in one folder a class, decoded to one size and kept in memory as bytes where they fit.</summary>
public sealed class FolderDataset : Dataset
{
    // Large enough to tell most things apart, small enough to train on without a GPU.
    private const int SizeOfMixed = 64;
    private const int ObserveMilliseconds = 100;

    // With one class there is nothing to learn.
    private const int FewestClasses = 2;

    private readonly string[] _paths;
    private readonly int[] _labels;
    private readonly byte[]?[] _decoded;
    private readonly int _size;
    private readonly bool[] _scaled;

    private FolderDataset(string name, IReadOnlyList<string> classes, string[] paths, int[] labels, byte[]?[] decoded, int size, (int Width, int Height) shape, bool[] scaled)
    {
        (Name, Classes, _paths, _labels, _decoded, _size, (Width, Height), _scaled) = (name, classes, paths, labels, decoded, size, shape, scaled);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public override int Count => _paths.Length;

    /// <inheritdoc/>
    public override int Height { get; }

    /// <inheritdoc/>
    public override int Width { get; }

    /// <inheritdoc/>
    public override int Label(int index) => _labels[index];

    /// <summary>The first file that has another size than the set's images, and was scaled; null where none was.</summary>
    public string? ScaledFile => Array.IndexOf(_scaled, true) is >= 0 and var first ? _paths[first] : null;

    /// <inheritdoc/>
    public override string Describe(int index) => _paths[index];

    /// <inheritdoc/>
    public override IReadOnlyList<UInt128> Hashes(IReadOnlyList<int> which, IRunObserver observer, CancellationToken stop = default)
    {
        var hashes = new UInt128[which.Count];
        var onDisk = new List<int>();
        for (var i = 0; i < hashes.Length; i++)
        {
            if (_decoded[which[i]] is { } planes && !_scaled[which[i]])
            {
                hashes[i] = KnownImages.HashOf(Width, Height, planes);
            }
            else
            {
                onDisk.Add(i);
            }
        }

        if (onDisk.Count > 0)
        {
            var index = HashIndex.Open(CacheFolder.Default, _paths);
            ForEach(
                $"recognising {Name}", [.. onDisk.Select(i => _paths[which[i]])], new InputException?[onDisk.Count], new DataRecipe(), observer, place => hashes[onDisk[place]] = index.Of(_paths[which[onDisk[place]]]), stop);
            index.Save(_paths);
        }

        return hashes;
    }

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        var image = _decoded[index] ?? ImageFile.Decode(_paths[index], _size).Planes;
        if (image.Length != planes.Length)
        {
            throw new InputException($"The image '{_paths[index]}' changed its size while it was in use: leave the data alone until the run ends.");
        }

        image.CopyTo(planes);
    }

    /// <summary>The names of the class folders in a folder, in ordinal order.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="fewest">How many there must be.</param>
    /// <exception cref="InputException">There are fewer.</exception>
    public static IReadOnlyList<string> ClassesIn(string folder, int fewest = FewestClasses)
    {
        var classes = Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToList();
        return classes.Count >= fewest
            ? classes
            : throw new InputException($"'{folder}' has {(classes.Count == 0 ? "no class folders" : $"only one class folder ('{classes[0]}')")}: put the images of each class into a folder of its own, such as '{Path.Combine(folder, "cat")}' and '{Path.Combine(folder, "dog")}'.");
    }

    /// <summary>Opens a folder of class folders.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">What to call the data.</param>
    /// <param name="classes">The classes that labels index; a folder of another name is an error.</param>
    /// <param name="recipe">Size, cache and what to do with unreadable images.</param>
    /// <param name="skipped">Receives the paths of unreadable images where the recipe says to skip them.</param>
    /// <param name="observer">Told of the images read.</param>
    /// <param name="someClasses">Whether classes may be without images.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">A folder or image that can't be used, named.</exception>
    public static FolderDataset Open(
        string folder, string name, IReadOnlyList<string> classes, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer, bool someClasses = false, CancellationToken stop = default)
    {
        if (ClassesIn(folder, someClasses ? 1 : FewestClasses).FirstOrDefault(found => !classes.Contains(found)) is { } stranger)
        {
            throw new InputException($"The class '{stranger}' of '{folder}' is not among the training classes ({string.Join(", ", classes.Take(10))}{(classes.Count > 10 ? ", ..." : "")}): rename or remove the folder.");
        }

        var paths = new List<string>();
        var labels = new List<int>();
        for (var label = 0; label < classes.Count; label++)
        {
            var images = ImagesIn(Path.Combine(folder, classes[label]));
            if (images.Count == 0 && !someClasses)
            {
                throw new InputException($"The class folder '{Path.Combine(folder, classes[label])}' has no images (JPEG, PNG, BMP or WebP): add some or remove the folder.");
            }

            paths.AddRange(images);
            labels.AddRange(Enumerable.Repeat(label, images.Count));
        }

        return paths.Count == 0
            ? throw new InputException($"'{folder}' has no images (JPEG, PNG, BMP or WebP) in its class folders: add some.")
            : Decode(name, classes, paths, labels, recipe, skipped, observer, someClasses, stop);
    }

    private static List<string> ImagesIn(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden, MaxRecursionDepth = 16 })
            .Where(ImageFile.IsImage)
            .Order(StringComparer.Ordinal)];

    private static FolderDataset Decode(
        string name, IReadOnlyList<string> classes, List<string> paths, List<int> labels, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer, bool someClasses, CancellationToken stop)
    {
        var faults = new InputException?[paths.Count];
        var shapes = new (int Width, int Height)[paths.Count];
        ForEach($"looking at {name}", paths, faults, recipe, observer, i => shapes[i] = ImageFile.Size(paths[i]), stop);

        var readable = Enumerable.Range(0, paths.Count).Where(i => faults[i] is null).Select(i => shapes[i]).Distinct().Take(2).ToArray();
        var size = recipe.Size;
        if (readable.Length > 1 && size == 0)
        {
            size = SizeOfMixed;
            observer.Note($"The images of {name} have several sizes: they are scaled and cut to {size}x{size} pixels (choose with --set data.size=PIXELS).");
        }

        var shape = size > 0 ? (Width: size, Height: size) : readable.Length == 1 ? readable[0] : throw faults[0]!;
        var decoded = new byte[]?[paths.Count];
        var fits = (long)paths.Count * Channels * shape.Width * shape.Height <= recipe.CacheMegabytes * (1L << 20);
        if (fits || recipe.SkipBadImages)
        {
            // Where they don't fit, all are decoded once to find the bad ones: in the middle of an epoch it would be too late to skip them.
            ForEach($"reading {name}", paths, faults, recipe, observer, i =>
            {
                var planes = ImageFile.Decode(paths[i], size).Planes;
                decoded[i] = fits ? planes : null;
            }, stop);
        }

        var good = new List<int>();
        for (var i = 0; i < paths.Count; i++)
        {
            if (faults[i] is null)
            {
                good.Add(i);
            }
            else
            {
                skipped.Add(paths[i]);
            }
        }

        var present = good.Select(i => labels[i]).ToHashSet();
        if (!someClasses && Enumerable.Range(0, classes.Count).FirstOrDefault(label => !present.Contains(label), -1) is >= 0 and var empty)
        {
            throw new InputException($"The class '{classes[empty]}' of {name} has no readable image: add some or remove the folder.");
        }

        return new FolderDataset(
            name, classes, [.. good.Select(i => paths[i])], [.. good.Select(i => labels[i])], [.. good.Select(i => decoded[i])], size, shape, [.. good.Select(i => shapes[i] != shape)]);
    }

    /// <summary>Does something with every image that has no fault yet, on all cores, and keeps the faults; the first stops it all unless faulty images are skipped.</summary>
    private static void ForEach(string work, List<string> paths, InputException?[] faults, DataRecipe recipe, IRunObserver observer, Action<int> action, CancellationToken stop)
    {
        observer.Begin(work, paths.Count, "images");
        var done = 0;
        var all = Task.Run(() => Parallel.For(0, paths.Count, (i, state) =>
        {
            try
            {
                if (faults[i] is null && !stop.IsCancellationRequested)
                {
                    action(i);
                }
            }
            catch (InputException exception)
            {
                faults[i] = exception;
                if (!recipe.SkipBadImages)
                {
                    state.Break();
                }
            }

            Interlocked.Increment(ref done);
        }));
        while (!all.Wait(ObserveMilliseconds, CancellationToken.None))
        {
            observer.Advance(Volatile.Read(ref done));
        }

        stop.ThrowIfCancellationRequested();
        if (!recipe.SkipBadImages && faults.FirstOrDefault(fault => fault is not null) is { } first)
        {
            throw first;
        }
    }
}
