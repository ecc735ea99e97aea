using System.IO.Hashing;
using System.Text;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Runtime;

namespace WeakLink.Sources;

/// <summary>Images in one folder a class, or on a list: decoded to one size when they are first asked for, and kept in memory as bytes where they fit.</summary>
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
    private readonly long _memory;
    private readonly FolderIndex? _index;
    private bool _keeps;
    private WeakReference<HashIndex>? _known;

    private FolderDataset(string name, IReadOnlyList<string> classes, Found[] images, int size, ResizeFilter filter, (int Width, int Height) shape, long memory, FolderIndex? index)
    {
        (Name, Classes, _size, _filter, (Width, Height), _memory, _index) = (name, classes, size, filter, shape, memory, index);
        _paths = [.. images.Select(image => image.Path)];
        _labels = [.. images.Select(image => image.Label)];
        _identities = [.. images.Select(image => image.Identity)];
        _scaled = [.. images.Select(image => (image.Width, image.Height) != shape)];
        _decoded = new byte[]?[images.Length];
        Use(images.Length);
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
        if (hashes.Length > 0)
        {
            var known = Known();
            try
            {
                ForEach($"reading {Name}", hashes.Length, new InputException?[hashes.Length], skipFaults: false, observer, place => hashes[place] = known.Of(_paths[which[place]], () => HashOf(which[place])), stop);
            }
            finally
            {
                // What a stop or a damaged image leaves is not computed again.
                known.Save(_paths);
            }
        }

        return hashes;
    }

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> planes)
    {
        if (_decoded[index] is not { } image)
        {
            (image, var width, var height) = ImageFile.Decode(_paths[index], _size, _filter);
            Keep(index, (width, height) == (Width, Height) ? image : throw Changed(index));
        }

        image.CopyTo(planes);
    }

    /// <summary>Says how many of the images will be read, more than once: they are kept in memory if so many fit.</summary>
    internal void Use(int images) => _keeps = (long)images * BytesPerImage <= _memory;

    // A start asks for it several times, and nobody afterwards: of a million files it is large.
    private HashIndex Known()
    {
        if (_known?.TryGetTarget(out var known) == true)
        {
            return known;
        }

        known = HashIndex.Open(CacheFolder.Default, _paths);
        _known = new(known);
        return known;
    }

    private UInt128 HashOf(int index)
    {
        var (planes, width, height) = ImageFile.Decode(_paths[index]);
        if ((width, height) == (Width, Height))
        {
            Keep(index, planes);
        }
        else if (_size == 0)
        {
            throw Changed(index);
        }

        return KnownImages.HashOf(width, height, planes);
    }

    private void Keep(int index, byte[] planes) => _decoded[index] = _keeps ? planes : null;

    private InputException Changed(int index)
    {
        _index?.Forget();
        return new($"The image '{_paths[index]}' changed its size since it was looked at: leave the data alone while a run uses them, and run the same command again.");
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
        var found = new List<Found>();
        foreach (var (its, images) in part.Classes)
        {
            if (!places.TryGetValue(ImageNetClasses.Known(its, places.ContainsKey), out var label))
            {
                throw images.Count == 0 ? NoImages(part, its) : new InputException($"The class '{its}' of '{part.Path}' is not among the training classes ({string.Join(", ", classes.Take(10))}{(classes.Count > 10 ? ", ..." : "")}){LookAlikes.Hint(its, classes)}: rename or remove it.");
            }

            var folder = Path.Combine(part.Path, its) + Path.DirectorySeparatorChar;
            found.AddRange(images.Select(image => new Found(image, label, IdentityOf(its, image.StartsWith(folder, StringComparison.Ordinal) ? image[folder.Length..] : Path.GetRelativePath(folder, image)))));
        }

        var present = found.Select(image => image.Label).ToHashSet();
        if (!someClasses && classes.FirstOrDefault(label => !present.Contains(places[label])) is { } empty)
        {
            throw NoImages(part, empty);
        }

        return found.Count == 0
            ? throw new InputException($"'{part.Path}' has no images ({ImageFile.Formats}) in its class folders: add some.")
            : Open(name, classes, [.. found], part.Index, recipe, skipped, observer, someClasses, stop);
    }

    private static long IdentityOf(string its, string file) =>
        unchecked((long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{its}/{file.Replace(Path.DirectorySeparatorChar, '/')}")));

    private static InputException NoImages(FolderPart part, string name) => part.Classes.Any(its => its.Name == name)
        ? new($"The class folder '{Path.Combine(part.Path, name)}' has no images ({ImageFile.Formats}): add some, convert those of other formats, or remove the folder.")
        : new($"'{part.Path}' has no folder '{name}' with images of that class ({ImageFile.Formats}): add it.");

    private static FolderDataset Open(
        string name, IReadOnlyList<string> classes, Found[] images, FolderIndex? index, DataRecipe recipe, ICollection<string> skipped, IRunObserver observer, bool someClasses, CancellationToken stop)
    {
        var faults = new InputException?[images.Length];
        Look(name, images, faults, index, recipe, observer, stop);
        if (recipe.SkipBadImages)
        {
            // In the middle of an epoch it would be too late to skip them. What was decoded before, for its hash, is whole.
            string[] paths = [.. images.Select(image => image.Path)];
            var known = HashIndex.Open(CacheFolder.Default, paths);
            try
            {
                ForEach($"reading {name}", paths.Length, faults, skipFaults: true, observer, i => known.Of(paths[i]), stop);
            }
            finally
            {
                known.Save(paths);
            }
        }

        var good = images.Where((_, i) => faults[i] is null).ToArray();
        foreach (var (image, _) in images.Zip(faults).Where(pair => pair.Second is not null))
        {
            skipped.Add(image.Path);
        }

        var shapes = good.Select(image => (image.Width, image.Height)).Distinct().Take(2).ToArray();
        var size = recipe.Size;
        if (shapes.Length > 1 && size == 0)
        {
            size = SizeOfMixed;
            observer.Note($"The images of {name} have several sizes: they are scaled and cut to {size}x{size} pixels (data.size chooses another size).");
        }

        var shape = size > 0 ? (Width: size, Height: size) : shapes.Length == 1 ? shapes[0] : throw faults[0]!;
        var present = good.Select(image => image.Label).ToHashSet();
        return !someClasses && Enumerable.Range(0, classes.Count).FirstOrDefault(label => !present.Contains(label), -1) is >= 0 and var empty
            ? throw new InputException($"The class '{classes[empty]}' of {name} has no readable image: add some or remove the class.")
            : new FolderDataset(name, classes, good, size, recipe.Filter, shape, recipe.CacheMegabytes * (1L << 20), index);
    }

    // The sizes of all images, from their headers or from what is kept of them.
    private static void Look(string name, Found[] images, InputException?[] faults, FolderIndex? index, DataRecipe recipe, IRunObserver observer, CancellationToken stop)
    {
        var unknown = new List<int>();
        for (var i = 0; i < images.Length; i++)
        {
            if (index?.Size(images[i].Path) is var (width, height))
            {
                images[i] = images[i] with { Width = width, Height = height };
            }
            else
            {
                unknown.Add(i);
            }
        }

        var wrong = new InputException?[unknown.Count];
        try
        {
            ForEach($"looking at {name}", unknown.Count, wrong, recipe.SkipBadImages, observer, place =>
            {
                var (width, height) = ImageFile.Size(images[unknown[place]].Path);
                images[unknown[place]] = images[unknown[place]] with { Width = width, Height = height };
            }, stop);
        }
        finally
        {
            for (var place = 0; place < wrong.Length; place++)
            {
                var image = images[unknown[place]];
                faults[unknown[place]] = wrong[place];
                if (image.Width > 0)
                {
                    index?.Add(image.Path, image.Width, image.Height);
                }
            }

            index?.Save();
        }
    }

    /// <summary>Does something with everything that has no fault yet, on all cores, and keeps the faults; the first stops it all unless they are skipped.</summary>
    private static void ForEach(string work, int count, InputException?[] faults, bool skipFaults, IRunObserver observer, Action<int> action, CancellationToken stop)
    {
        observer.Begin(work, count, "images");
        var done = 0;
        var all = Task.Run(() => Parallel.For(0, count, (i, state) =>
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
                if (!skipFaults)
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
        if (!skipFaults && faults.FirstOrDefault(fault => fault is not null) is { } first)
        {
            throw first;
        }
    }

    // An image file; its size is 0 until it was looked at.
    private readonly record struct Found(string Path, int Label, long Identity, int Width = 0, int Height = 0);
}
