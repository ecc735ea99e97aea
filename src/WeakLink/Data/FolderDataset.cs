namespace WeakLink.Data;

/// <summary>Images in one folder a class, decoded to one size and kept in memory as bytes where they fit.</summary>
public sealed class FolderDataset : Dataset
{
    private readonly string[] _paths;
    private readonly int[] _labels;
    private readonly byte[]?[] _decoded;
    private readonly int _size;

    private FolderDataset(string name, IReadOnlyList<string> classes, string[] paths, int[] labels, byte[]?[] decoded, int size, (int Width, int Height) shape)
    {
        (Name, Classes, _paths, _labels, _decoded, _size, (Width, Height)) = (name, classes, paths, labels, decoded, size, shape);
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

    /// <inheritdoc/>
    public override string Describe(int index) => _paths[index];

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
    /// <exception cref="InputException">There are fewer than two.</exception>
    public static IReadOnlyList<string> ClassesIn(string folder)
    {
        var classes = Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToList();
        return classes.Count >= 2
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
    /// <exception cref="InputException">A folder or image that can't be used, named.</exception>
    public static FolderDataset Open(string folder, string name, IReadOnlyList<string> classes, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer)
    {
        if (ClassesIn(folder).FirstOrDefault(found => !classes.Contains(found)) is { } stranger)
        {
            throw new InputException($"The class '{stranger}' of '{folder}' is not among the training classes ({string.Join(", ", classes.Take(10))}{(classes.Count > 10 ? ", ..." : "")}): rename or remove the folder.");
        }

        var paths = new List<string>();
        var labels = new List<int>();
        for (var label = 0; label < classes.Count; label++)
        {
            var images = ImagesIn(Path.Combine(folder, classes[label]));
            if (images.Count == 0)
            {
                throw new InputException($"The class folder '{Path.Combine(folder, classes[label])}' has no images (JPEG, PNG, BMP or WebP): add some or remove the folder.");
            }

            paths.AddRange(images);
            labels.AddRange(Enumerable.Repeat(label, images.Count));
        }

        return Decode(name, classes, paths, labels, recipe, skipped, observer);
    }

    private static List<string> ImagesIn(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden, MaxRecursionDepth = 16 })
            .Where(ImageFile.IsImage)
            .Order(StringComparer.Ordinal)];

    private static FolderDataset Decode(
        string name, IReadOnlyList<string> classes, List<string> paths, List<int> labels, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer)
    {
        // What fits is known once the size is: from the recipe, or from the first readable image.
        var shape = recipe.Size > 0 ? (Width: recipe.Size, Height: recipe.Size) : FirstShape(paths, recipe.SkipBadImages);
        var cached = (long)paths.Count * Channels * shape.Width * shape.Height <= recipe.CacheMegabytes * (1L << 20);
        var decoded = new byte[]?[paths.Count];
        var errors = new InputException?[paths.Count];
        observer.Begin($"reading {name}", paths.Count, "images");
        var done = 0;
        var work = Task.Run(() => Parallel.For(0, paths.Count, (i, state) =>
        {
            try
            {
                var (width, height) = recipe.Size == 0 && !cached ? ImageFile.Size(paths[i]) : shape;
                if (cached)
                {
                    (decoded[i], width, height) = ImageFile.Decode(paths[i], recipe.Size);
                }
                else if (recipe.Size > 0)
                {
                    ImageFile.Size(paths[i]);
                }

                if ((width, height) != shape)
                {
                    errors[i] = new InputException($"The images have several sizes, such as {shape.Width}x{shape.Height} and {width}x{height} ('{paths[i]}'): choose one for all with --set data.size=PIXELS.");
                    state.Break();
                }
            }
            catch (InputException exception)
            {
                errors[i] = exception;
                decoded[i] = null;
                if (!recipe.SkipBadImages)
                {
                    state.Break();
                }
            }

            Interlocked.Increment(ref done);
        }));
        while (!work.Wait(100))
        {
            observer.Advance(Volatile.Read(ref done));
        }

        if (errors.FirstOrDefault(error => error is not null && (!recipe.SkipBadImages || error.Message.Contains("several sizes", StringComparison.Ordinal))) is { } first)
        {
            throw first;
        }

        var good = Enumerable.Range(0, paths.Count).Where(i => errors[i] is null).ToArray();
        foreach (var i in Enumerable.Range(0, paths.Count).Where(i => errors[i] is not null))
        {
            skipped.Add(paths[i]);
        }

        var readable = good.Select(i => labels[i]).ToHashSet();
        if (Enumerable.Range(0, classes.Count).FirstOrDefault(label => !readable.Contains(label), -1) is >= 0 and var empty)
        {
            throw new InputException($"The class '{classes[empty]}' of {name} has no readable image: add some or remove the folder.");
        }

        return new FolderDataset(
            name, classes, [.. good.Select(i => paths[i])], [.. good.Select(i => labels[i])], [.. good.Select(i => decoded[i])], recipe.Size, shape);
    }

    private static (int Width, int Height) FirstShape(List<string> paths, bool skipBad)
    {
        foreach (var path in paths)
        {
            try
            {
                return ImageFile.Size(path);
            }
            catch (InputException) when (skipBad)
            {
            }
        }

        throw new InputException($"None of the {paths.Count} images can be read: '{paths[0]}' is the first.");
    }
}
