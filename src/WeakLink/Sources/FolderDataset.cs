using System.IO.Hashing;
using System.Text;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Sources;

/// <summary>Images in one folder a class, or on a list, decoded to one size and kept in memory as bytes where they fit.</summary>
public sealed class FolderDataset : Dataset
{
    // Large enough to tell most things apart, small enough to train on without a GPU.
    private const int SizeOfMixed = 64;
    private const int ObserveMilliseconds = 100;

    private readonly string[] _paths;
    private readonly int[] _labels;
    private readonly long[] _identities;
    private readonly byte[]?[] _decoded;
    private readonly int _size;
    private readonly ResizeFilter _filter;
    private readonly bool[] _scaled;

    private FolderDataset(string name, IReadOnlyList<string> classes, string[] paths, int[] labels, long[] identities, byte[]?[] decoded, int size, ResizeFilter filter, (int Width, int Height) shape, bool[] scaled)
    {
        (Name, Classes, _paths, _labels, _identities, _decoded, _size, _filter, (Width, Height), _scaled) = (name, classes, paths, labels, identities, decoded, size, filter, shape, scaled);
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

    /// <summary>The XXH3 of the class and of the file's path in its folder, such as <c>cat/7.png</c>: files that come, go or can't be read change no other's.</summary>
    /// <inheritdoc/>
    public override long Identity(int index) => _identities[index];

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
            try
            {
                ForEach(
                    $"recognising {Name}", [.. onDisk.Select(i => _paths[which[i]])], new InputException?[onDisk.Count], new DataRecipe(), observer, place => hashes[onDisk[place]] = index.Of(_paths[which[onDisk[place]]]), stop);
            }
            finally
            {
                // What a stop or a damaged image leaves is not computed again.
                index.Save(_paths);
            }
        }

        return hashes;
    }

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        var image = _decoded[index] ?? ImageFile.Decode(_paths[index], _size, _filter).Planes;
        if (image.Length != planes.Length)
        {
            throw new InputException($"The image '{_paths[index]}' changed its size while it was in use: leave the data alone until the run ends.");
        }

        image.CopyTo(planes);
    }

    /// <summary>Opens the images of class folders.</summary>
    /// <param name="part">The class folders and their images.</param>
    /// <param name="name">What to call the data.</param>
    /// <param name="classes">The classes that labels index, by name; a folder of another name is an error.</param>
    /// <param name="recipe">Size, cache and what to do with unreadable images.</param>
    /// <param name="skipped">Receives the paths of unreadable images where the recipe says to skip them.</param>
    /// <param name="observer">Told of the images read.</param>
    /// <param name="someClasses">Whether classes may be without images.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">A folder or image that can't be used, named.</exception>
    internal static FolderDataset Open(
        FolderPart part, string name, IReadOnlyList<string> classes, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer, bool someClasses = false, CancellationToken stop = default)
    {
        var places = classes.Select((label, place) => (label, place)).ToDictionary(pair => pair.label, pair => pair.place, StringComparer.Ordinal);
        var paths = new List<string>();
        var labels = new List<int>();
        var identities = new List<long>();
        foreach (var (its, images) in part.Classes)
        {
            if (!places.TryGetValue(ImageNetClasses.Known(its, places.ContainsKey), out var label))
            {
                throw images.Count == 0 ? NoImages(part, its) : new InputException($"The class '{its}' of '{part.Path}' is not among the training classes ({string.Join(", ", classes.Take(10))}{(classes.Count > 10 ? ", ..." : "")}){LookAlikes.Hint(its, classes)}: rename or remove it.");
            }

            paths.AddRange(images);
            labels.AddRange(Enumerable.Repeat(label, images.Count));
            identities.AddRange(images.Select(image => IdentityOf(its, Path.GetRelativePath(Path.Combine(part.Path, its), image))));
        }

        var present = labels.ToHashSet();
        if (!someClasses && classes.FirstOrDefault(label => !present.Contains(places[label])) is { } empty)
        {
            throw NoImages(part, empty);
        }

        return paths.Count == 0
            ? throw new InputException($"'{part.Path}' has no images ({ImageFile.Formats}) in its class folders: add some.")
            : Decode(name, classes, paths, labels, identities, recipe, skipped, observer, someClasses, stop);
    }

    private static long IdentityOf(string its, string file) =>
        unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{its}/{file.Replace(Path.DirectorySeparatorChar, '/')}")));

    private static InputException NoImages(FolderPart part, string name) => part.Classes.Any(its => its.Name == name)
        ? new($"The class folder '{Path.Combine(part.Path, name)}' has no images ({ImageFile.Formats}): add some, convert those of other formats, or remove the folder.")
        : new($"'{part.Path}' has no folder '{name}' with images of that class ({ImageFile.Formats}): add it.");

    private static FolderDataset Decode(
        string name, IReadOnlyList<string> classes, List<string> paths, List<int> labels, List<long> identities, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer, bool someClasses, CancellationToken stop)
    {
        var faults = new InputException?[paths.Count];
        var shapes = new (int Width, int Height)[paths.Count];
        ForEach($"looking at {name}", paths, faults, recipe, observer, i => shapes[i] = ImageFile.Size(paths[i]), stop);

        var readable = Enumerable.Range(0, paths.Count).Where(i => faults[i] is null).Select(i => shapes[i]).Distinct().Take(2).ToArray();
        var size = recipe.Size;
        if (readable.Length > 1 && size == 0)
        {
            size = SizeOfMixed;
            observer.Note($"The images of {name} have several sizes: they are scaled and cut to {size}x{size} pixels (data.size chooses another size).");
        }

        var shape = size > 0 ? (Width: size, Height: size) : readable.Length == 1 ? readable[0] : throw faults[0]!;
        var decoded = new byte[]?[paths.Count];
        var fits = (long)paths.Count * Channels * shape.Width * shape.Height <= recipe.CacheMegabytes * (1L << 20);
        if (fits || recipe.SkipBadImages)
        {
            // Where they don't fit, all are decoded once to find the bad ones: in the middle of an epoch it would be too late to skip them.
            ForEach($"reading {name}", paths, faults, recipe, observer, i =>
            {
                var planes = ImageFile.Decode(paths[i], size, recipe.Filter).Planes;
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
            throw new InputException($"The class '{classes[empty]}' of {name} has no readable image: add some or remove the class.");
        }

        return new FolderDataset(
            name, classes, [.. good.Select(i => paths[i])], [.. good.Select(i => labels[i])], [.. good.Select(i => identities[i])], [.. good.Select(i => decoded[i])], size, recipe.Filter, shape, [.. good.Select(i => shapes[i] != shape)]);
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
