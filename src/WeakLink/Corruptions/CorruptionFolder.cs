using System.Globalization;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Sources;

namespace WeakLink.Corruptions;

/// <summary>
/// Corrupted images on disk: in CIFAR-10-C's layout (<c>labels.npy</c> and for each corruption one array with all severities, one
/// after the other) or in ImageNet-C's (<c>corruption/severity/class/image</c>).
/// </summary>
public sealed class CorruptionFolder : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _classes;
    private readonly CorruptionManifest? _manifest;
    private readonly long[]? _labels;
    private readonly Dictionary<string, NumpyFile> _arrays = [];
    private readonly DataRecipe _recipe;
    private readonly HashSet<string> _told = [];

    private CorruptionFolder(string folder, IReadOnlyList<string> classes, DataRecipe recipe, CorruptionManifest? manifest, KnownImages? originals, long[]? labels) =>
        (_folder, _classes, _recipe, _manifest, _labels, Originals) = (folder, classes, recipe, manifest, labels, originals);

    /// <summary>The severities that the folder holds, ascending: all five, unless it was written with fewer.</summary>
    public IReadOnlyList<int> Severities => _manifest?.Severities ?? Corruption.AllSeverities;

    /// <summary>The clean images that it was made of; null where it does not say (published ones, and those of older versions).</summary>
    public KnownImages? Originals { get; }

    /// <summary>Width and height of its images; null where it does not say.</summary>
    public (int Width, int Height)? Size => _manifest is { Width: > 0, Height: > 0 } ? (_manifest.Width, _manifest.Height) : null;

    /// <summary>Opens a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classes">The classes that the network knows.</param>
    /// <param name="recipe">How images in folders are kept in memory. They are never scaled: corruptions depend on the size.</param>
    /// <exception cref="InputException">The folder is missing or has neither layout; its classes are others; a label is out of range.</exception>
    public static CorruptionFolder Open(string folder, IReadOnlyList<string> classes, DataRecipe recipe)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"The folder of corrupted images '{folder}' does not exist: check the path.");
        }

        var manifest = CorruptionManifest.Read(folder);
        var originals = OriginalsOf(manifest, classes);
        if (originals is not null && originals.Labels.Distinct().Select(label => originals.Classes[label]).FirstOrDefault(name => !classes.Contains(name)) is { } stranger)
        {
            throw new InputException($"'{folder}' was made of images of the class '{stranger}', which the network does not know ({string.Join(", ", classes.Take(10))}{(classes.Count > 10 ? ", ..." : "")}){LookAlikes.Hint(stranger, classes)}: give the corruptions of images of its classes.");
        }

        var path = Path.Combine(folder, "labels.npy");
        if (!File.Exists(path))
        {
            return new CorruptionFolder(folder, classes, recipe, manifest, originals, null);
        }

        using var file = NumpyFile.Open(path);
        var labels = file.ReadIntegers();
        if (originals is not null)
        {
            // By name: the network may have them in another order.
            var known = classes.ToList();
            return labels.Length == originals.Labels.Count * manifest!.Severities.Count && labels.Select((label, i) => label == originals.Labels[i % originals.Labels.Count]).All(same => same)
                ? new CorruptionFolder(folder, classes, recipe, manifest, originals, [.. labels.Select(label => (long)known.IndexOf(originals.Classes[(int)label]))])
                : throw new InputException($"'{path}' does not hold the labels that {CorruptionManifest.FileName} lists: copy the folder or write it again.");
        }

        var wrong = Array.FindIndex(labels, label => label < 0 || label >= classes.Count);
        return wrong < 0
            ? new CorruptionFolder(folder, classes, recipe, manifest, originals, labels)
            : throw new InputException($"'{path}' has label {labels[wrong]} at index {wrong}, but the network knows {classes.Count} classes (0 to {classes.Count - 1}): give the corruptions of the data it was trained on.");
    }

    /// <summary>The images of a corruption and severity, all of them and as they are; of some classes there may be none.</summary>
    /// <param name="corruption">The corruption.</param>
    /// <param name="severity">1 to 5.</param>
    /// <param name="observer">Told of classes without images, and of what was passed over.</param>
    /// <param name="stop">Stops between two images.</param>
    /// <exception cref="InputException">They are missing or of a wrong shape, type or number.</exception>
    public Dataset Images(Corruption corruption, int severity, IRunObserver observer, CancellationToken stop = default)
    {
        var place = Severities.ToList().IndexOf(severity);
        if (place < 0)
        {
            throw new InputException($"'{_folder}' holds severities {string.Join(", ", Severities)} only, not {severity}: write it again with all five.");
        }

        if (_labels is not null)
        {
            var count = _labels.Length / Severities.Count;
            return new SubsetDataset(new NumpyImages($"{corruption.Name} {severity}", _classes, ArrayOf(corruption), _labels), [.. Enumerable.Range(place * count, count)]);
        }

        var folder = Path.Combine(_folder, CorruptionManifest.PieceOf(corruption, severity));
        if (!Directory.Exists(folder))
        {
            throw new InputException($"'{folder}' does not exist: '{_folder}' has neither the arrays of CIFAR-10-C (labels.npy) nor the folders of ImageNet-C for {corruption.Name} {severity}; name those it has in evaluation.corruptions{(_manifest?.Checksums is { Count: > 0 } kept ? $": {string.Join(',', kept.Keys.Select(name => name.Split('/', '.')[0]).Distinct())}" : "")}.");
        }

        var (passed, root) = (new PassedOver(), FolderTree.Read(folder, stop: stop));
        // Scaled or passed over, what is measured would not be what is there. Whoever measures shows a progress of its own.
        var images = FolderDataset.Open(
            FolderPart.Read(root, [root], passed)[0], $"{corruption.Name} {severity}", _classes, _recipe with { Size = 0, SkipBadImages = false }, [], new SilentObserver(), someClasses: true, stop);
        if (images.ScaledFile is { } scaled)
        {
            throw new InputException($"The images of '{folder}' have several sizes ('{scaled}' is among those that differ): copy, fetch or write them again.");
        }

        RequireAll(images, folder);
        _manifest?.Require(_folder, CorruptionManifest.PieceOf(corruption, severity));
        TellOnce(string.Join(", ", images.ClassesWithoutImages()), images.Lacking("the corrupted images"));
        TellOnce(string.Join(", ", passed.Counts.Keys), passed.Sentence());
        return images;

        // Mostly all corruptions and severities lack and hold the same.
        void TellOnce(string what, string? sentence)
        {
            if (sentence is not null && _told.Add(what))
            {
                observer.Note(sentence);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var array in _arrays.Values)
        {
            array.Dispose();
        }
    }

    private static KnownImages? OriginalsOf(CorruptionManifest? manifest, IReadOnlyList<string> classes) => manifest?.Originals() is { } its
        ? its with { Classes = [.. its.Classes.Select(name => ImageNetClasses.Known(name, classes.Contains))] }
        : null;

    private void RequireAll(FolderDataset images, string folder)
    {
        if (Originals is null)
        {
            if (_manifest is not null && images.Count != _manifest.Images)
            {
                throw new InputException($"'{folder}' has {images.Count} images, but {CorruptionManifest.FileName} says {_manifest.Images}: copy the folder or write it again.");
            }

            return;
        }

        var missing = Enumerable.Range(0, Originals.Labels.Count).ToHashSet();
        for (var i = 0; i < images.Count; i++)
        {
            var path = images.Describe(i);
            if (!int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !missing.Remove(number)
                || Originals.Classes[Originals.Labels[number]] != _classes[images.Label(i)])
            {
                throw new InputException($"'{path}' is not one of the images that {CorruptionManifest.FileName} lists: remove it, or write the folder again.");
            }
        }

        if (missing.Count > 0)
        {
            throw new InputException($"'{folder}' lacks {missing.Count:n0} of its {Originals.Labels.Count:n0} images, such as {Path.GetFileName(_manifest!.ImageFileOf(missing.Min()))}: copy or write them again.");
        }
    }

    private NumpyFile ArrayOf(Corruption corruption)
    {
        if (_arrays.TryGetValue(corruption.Name, out var opened))
        {
            return opened;
        }

        var path = Path.Combine(_folder, CorruptionManifest.PieceOf(corruption));
        if (!File.Exists(path))
        {
            var known = CommonCorruptions.Named("all").Where(other => File.Exists(Path.Combine(_folder, CorruptionManifest.PieceOf(other)))).Select(other => other.Name).ToList();
            throw new InputException($"'{_folder}' has no {corruption.Name}.npy: {(known.Count > 0 ? $"name what it has ({string.Join(',', known)}) in evaluation.corruptions, or make" : "make")} the missing array.");
        }

        _manifest?.Require(_folder, CorruptionManifest.PieceOf(corruption));
        var array = NumpyFile.Open(path);
        _arrays.Add(corruption.Name, array);
        return array.Type != "|u1" || array.Shape is not [_, > 0, > 0, 3]
            ? throw new InputException($"'{array.Path}' is an array of type {array.Type} and shape {string.Join('x', array.Shape)}, expected bytes (|u1) of shape Nx32x32x3: save the images as uint8, channels last.")
            : array.Shape[0] == 0
            ? throw new InputException($"'{array.Path}' holds no images: copy, fetch or write it again.")
            : array.Shape[0] != _labels!.Length || array.Shape[0] % Severities.Count != 0
            ? throw new InputException($"'{array.Path}' has {array.Shape[0]} images and labels.npy {_labels!.Length} labels, expected the same number, {Severities.Count} severities of as many images: copy, fetch or write them again.")
            : array;
    }
}
