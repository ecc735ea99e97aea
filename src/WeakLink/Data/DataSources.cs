using WeakLink.Runtime;

namespace WeakLink.Data;

/// <summary>From what the user calls the data to its training, validation and test images.</summary>
public static class DataSources
{
    private static readonly string[][] SplitFolders = [["train", "training"], ["val", "valid", "validation"], ["test", "testing"]];

    /// <summary>Opens the data of a recipe.</summary>
    /// <param name="recipe">Which data, and how to read and split them.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="observer">Told of what is read, fetched or generated.</param>
    /// <param name="stop">Stops a download or extraction.</param>
    /// <exception cref="InputException">The data are missing or unusable; the message names what is wrong.</exception>
    public static DataSplits Open(DataRecipe recipe, long seed, IRunObserver observer, CancellationToken stop = default)
    {
        var skipped = new List<string>();
        var splits = recipe.Source switch
        {
            "" => throw new InputException("No data were named: set data.source to a folder, or to shapes, cifar10 or cifar100."),
            "shapes" => ShapesDataset.Splits(observer),
            _ when CifarFiles.IsName(recipe.Source) || CifarFiles.IsCifar(recipe.Source) => OpenCifar(recipe, seed, observer, stop),
            _ when Directory.Exists(recipe.Source) => OpenFolder(Path.GetFullPath(recipe.Source), recipe, seed, skipped, observer, stop),
            _ when File.Exists(recipe.Source) && ArchiveFiles.IsArchive(recipe.Source) =>
                OpenFolder(ArchiveFiles.ExtractedFolder(recipe.Source, CacheFolder.Default, new ObservedProgress("extracting", observer), stop), recipe, seed, skipped, observer, stop),
            _ when File.Exists(recipe.Source) => throw new InputException($"'{recipe.Source}' is a file, but no archive: give a folder (or a .zip or .tar.gz of one) with one folder of images a class, or a CIFAR archive."),
            _ => throw new InputException($"There are no data at '{recipe.Source}': give a folder with one folder of images a class, a CIFAR archive, or one of the names shapes, cifar10, cifar100."),
        };
        splits = splits with { Train = StratifiedSplit.Limit(splits.Train, recipe.Limit, seed), SkippedImages = skipped, Extra = OpenExtra(recipe, splits.Train, skipped, observer, stop) };
        foreach (var (name, part) in new[] { ("training", splits.Train), ("validation", splits.Validation), ("test", splits.Test) })
        {
            if (part.Count == 0)
            {
                throw new InputException($"{splits.Train.Name} has too few images: none is left for the {name} part. Add some, or give train, val and test folders.");
            }
        }

        if (recipe.Fingerprint.Length > 0 && !KnownSplits.IsFingerprint(recipe.Fingerprint))
        {
            observer.Note($"The run is of an older version, which knew its images by their names alone: whether those of '{recipe.Source}' are still the same can't be checked.");
            return splits;
        }

        return recipe.Fingerprint.Length == 0 || recipe.Fingerprint == splits.Known(observer, stop).Fingerprint()
            ? splits
            : throw new InputException($"The images of '{recipe.Source}'{(recipe.Extra.Count > 0 ? $" (or the extra ones in {string.Join(", ", recipe.Extra)})" : "")} are not those that the run was started with (added, removed, exchanged or split in another way), and test images may have been trained on: put them back or start a new run; 'evaluate' takes other images with --data.");
    }

    private static DataSplits OpenCifar(DataRecipe recipe, long seed, IRunObserver observer, CancellationToken stop)
    {
        var (whole, test) = CifarFiles.Open(recipe.Source, CacheFolder.Default, new ObservedProgress("fetching", observer), stop);
        var (train, validation) = HoldOutValidation(whole, recipe.Validation, seed);
        return new DataSplits(train, validation, test, []);
    }

    private static DataSplits OpenFolder(string folder, DataRecipe recipe, long seed, List<string> skipped, IRunObserver observer, CancellationToken stop)
    {
        var name = Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar));
        var parts = SplitFolders.Select(names => names.Select(part => Path.Combine(folder, part)).FirstOrDefault(Directory.Exists)).ToArray();
        var root = parts[0] ?? folder;
        if (parts[0] is null && (parts[1] ?? parts[2]) is { } orphan)
        {
            throw new InputException($"'{folder}' has '{Path.GetFileName(orphan)}' but no 'train' folder: add it, or give the folder that holds the class folders.");
        }

        if (parts[2] is null && parts[0] is not null && parts[1] is not null)
        {
            // The layout of ImageNet, where "val" is what everyone tests on.
            (parts[1], parts[2]) = (null, parts[1]);
            observer.Note($"'{Path.GetFileName(parts[2])}' of {name} is the test set, because there is no 'test': validation images are held out from training.");
        }

        var classes = FolderDataset.ClassesIn(root);
        Dataset Part(string path) => FolderDataset.Open(path, name, classes, recipe, skipped, observer, stop: stop);
        var whole = Part(root);
        var (rest, test) = parts[2] is { } testFolder ? (whole, SameSize(whole, Part(testFolder), testFolder)) : StratifiedSplit.HoldOut(whole, recipe.Test, seed);
        var (train, validation) = parts[1] is { } validationFolder
            ? (rest, SameSize(whole, Part(validationFolder), validationFolder))
            : HoldOutValidation(rest, recipe.Validation, seed);
        return new DataSplits(train, validation, test, skipped);
    }

    private static ExtraImages? OpenExtra(DataRecipe recipe, Dataset train, List<string> skipped, IRunObserver observer, CancellationToken stop)
    {
        if (recipe.Extra.Count == 0)
        {
            return recipe.ExtraFraction == 0 ? null : throw new InputException("data.extra-fraction is set, but no extra images are: name their folder with --extra-data or data.extra.");
        }

        // Their size is that of the images that they are added to.
        var sized = recipe with { Size = train.Width == train.Height ? train.Width : recipe.Size };
        var parts = recipe.Extra.Select(path =>
        {
            var folder = Directory.Exists(path) ? Path.GetFullPath(path)
                : File.Exists(path) && ArchiveFiles.IsArchive(path) ? ArchiveFiles.ExtractedFolder(path, CacheFolder.Default, new ObservedProgress("extracting", observer), stop)
                : throw new InputException($"{(File.Exists(path) ? $"'{path}' is neither a folder nor an archive of extra images" : $"There are no extra images at '{path}'")}: give a folder with one folder of images a class or with image.npy and label.npy, or an archive of one.");
            var root = SplitFolders[0].Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists) ?? folder;
            Dataset images = NumpyImages.AreIn(folder)
                ? NumpyImages.Open(folder, train.Classes)
                : FolderDataset.Open(root, Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)), train.Classes, sized, skipped, observer, someClasses: true, stop);
            observer.Note($"{images.Name}: {images.Count:n0} extra training images");
            return SameSize(train, images, path);
        }).ToList();
        return new ExtraImages(parts.Count == 1 ? parts[0] : new JoinedDataset(parts), recipe.ExtraFraction);
    }

    /// <summary>Holds out validation images from training images.</summary>
    internal static (Dataset Train, Dataset Validation) HoldOutValidation(Dataset train, double fraction, long seed) => fraction > 0
        ? StratifiedSplit.HoldOut(train, fraction, unchecked(seed + 1))
        : throw new InputException("data.validation is 0 and the data have no validation images of their own: set it to a part of the training images such as 0.05.");

    private static Dataset SameSize(Dataset train, Dataset other, string folder) => (train.Width, train.Height) == (other.Width, other.Height)
        ? other
        : throw new InputException($"The images in '{folder}' are {other.Width}x{other.Height} pixels, the training images {train.Width}x{train.Height}: choose one size with --set data.size=PIXELS.");
}
