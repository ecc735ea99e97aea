using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Runtime;

namespace WeakLink.Sources;

/// <summary>From what the user calls the data to its training, validation and test images.</summary>
public static class DataSources
{
    // With one class there is nothing to learn.
    private const int FewestClasses = 2;

    // Whoever sees these looks for the others.
    private const int MostAlike = 3;

    /// <summary>Opens the data of a recipe.</summary>
    /// <param name="recipe">Which data, and how to read and split them.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="observer">Told of what is read, fetched, generated or passed over.</param>
    /// <param name="stop">Stops a download or extraction.</param>
    /// <exception cref="InputException">The data are missing or unusable; the message names what is wrong.</exception>
    public static DataSplits Open(DataRecipe recipe, long seed, IRunObserver observer, CancellationToken stop = default) => Open(recipe, null, seed, observer, stop);

    /// <summary>Opens the data of a recipe for a network that is trained already.</summary>
    /// <param name="recipe">Which data, and how to read and split them.</param>
    /// <param name="classes">The network's classes: labels index them by name, and the data may lack some. Null: the data's own.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="observer">Told of what is read, fetched, generated or passed over.</param>
    /// <param name="stop">Stops a download or extraction.</param>
    /// <exception cref="InputException">The data are missing or unusable, or have a class that the network does not know; the message names what is wrong.</exception>
    public static DataSplits Open(DataRecipe recipe, IReadOnlyList<string>? classes, long seed, IRunObserver observer, CancellationToken stop = default)
    {
        Keys.RequireLimits(recipe, "data.");
        var (skipped, passed) = (new List<string>(), new PassedOver());
        var reading = new Reading(recipe, classes, skipped, passed, observer, stop);
        var splits = recipe.Source switch
        {
            "" => throw new InputException("No data were named: set data.source to a folder, or to shapes, cifar10 or cifar100."),
            "shapes" => ShapesDataset.Splits(CacheFolder.Default, observer, stop),
            _ when CifarFiles.IsName(recipe.Source) || CifarFiles.IsCifar(recipe.Source) => OpenCifar(recipe, seed, observer, stop),
            _ when IdxFiles.AreIn(recipe.Source) => OpenIdx(recipe, seed, observer),
            _ when PackedImages.Is(recipe.Source) => OpenPacked(recipe.Source, seed, reading),
            _ when ImageFiles(reading) is { } files => Open(files, seed, reading),
            _ when File.Exists(recipe.Source) => throw new InputException($"'{recipe.Source}' is a file, but neither an archive nor a list nor packed images: give a folder (or a .zip or .tar.gz of one) with one folder of images a class, a .csv or .jsonl list of images, a CIFAR archive, or packed images."),
            _ => throw new InputException($"There are no data at '{recipe.Source}': give a folder with one folder of images a class, a .csv or .jsonl list of images, a CIFAR archive, or one of the names shapes, cifar10, cifar100."),
        };
        var images = splits.Train;
        if (recipe.Size is > 0 and var size && (images.Width, images.Height) != (size, size))
        {
            throw new InputException($"'{recipe.Source}' holds images of {images.Width}x{images.Height} pixels, not of data.size = {size}: leave data.size out, or take a folder of images, which is scaled when it is read or packed.");
        }

        splits = splits with { Train = StratifiedSplit.Limit(splits.Train, recipe.Limit, seed), SkippedImages = skipped, PassedOver = passed, Extra = OpenExtra(splits.Train, reading) };
        if (passed.Sentence() is { } left)
        {
            observer.Note(left);
        }

        foreach (var (one, other) in LookAlikes.In(splits.Train.Classes).Take(MostAlike))
        {
            observer.Note($"The classes '{one}' and '{other}' of {splits.Train.Name} {LookAlikes.Difference(one, other)}: if they are one, put their images into one folder.");
        }

        // Without validation images nothing is chosen by them.
        foreach (var (name, part) in new[] { ("training", splits.Train), ("test", splits.Test) })
        {
            if (part.Count == 0)
            {
                throw new InputException($"{splits.Train.Name} has too few images: none is left for the {name} part. Add some, or give train, val and test folders.");
            }
        }

        if (recipe.Fingerprint.Length > 0 && !KnownSplits.IsFingerprint(recipe.Fingerprint))
        {
            observer.Note($"The run is of an older version, which knew its images by their names alone: whether those of '{recipe.Source}' are still the same can't be checked.");
        }
        else if (recipe.Fingerprint.Length > 0 && recipe.Fingerprint != splits.Known(observer, stop).Fingerprint())
        {
            throw new InputException($"The images of '{recipe.Source}'{(recipe.Extra.Count > 0 ? $" (or the extra ones in {string.Join(", ", recipe.Extra)})" : "")} are not those that the run was started with (added, removed, exchanged or split in another way), and test images may have been trained on: put them back or start a new run; with data.fingerprint left empty, a network is measured on other images.");
        }

        splits = ForClasses(splits, classes);
        // A network that is trained already is only measured.
        foreach (var lacking in new[] { classes is null && splits.Validation.Count > 0 ? splits.Validation.Lacking("the validation images") : null, splits.Test.Lacking("the test images") }.OfType<string>())
        {
            observer.Note(lacking);
        }

        return splits;
    }

    private static DataSplits OpenCifar(DataRecipe recipe, long seed, IRunObserver observer, CancellationToken stop) =>
        Published(CifarFiles.Open(recipe.Source, CacheFolder.Default, new ObservedProgress("fetching", observer), stop), recipe, seed);

    private static DataSplits OpenIdx(DataRecipe recipe, long seed, IRunObserver observer)
    {
        var parts = IdxFiles.Open(recipe.Source);
        observer.Note($"The images of {parts.Train.Name} are grey: the network sees them as three equal channels.");
        return Published(parts, recipe, seed);
    }

    private static DataSplits Published((Dataset Train, Dataset Test) parts, DataRecipe recipe, long seed)
    {
        var (train, validation) = HoldOutValidation(parts.Train, recipe.Validation, seed);
        return new DataSplits(train, validation, parts.Test, []);
    }

    /// <summary>Writes the images of a folder, an archive or a list into one file that is read without decoding, and can be opened in their place: see <see cref="PackedImages"/>.</summary>
    /// <param name="recipe">Which images, and how large: <c>data.size</c>, or the size that all of them have.</param>
    /// <param name="path">The file.</param>
    /// <param name="observer">Told of what is read, passed over and written.</param>
    /// <param name="stop">Stops between two images, and leaves no file.</param>
    /// <returns>How many images were written, and what was left out.</returns>
    /// <exception cref="InputException">The images are missing, unusable or of several sizes, or the file can't be written.</exception>
    public static (int Images, IReadOnlyList<string> Skipped) Pack(DataRecipe recipe, string path, IRunObserver observer, CancellationToken stop = default)
    {
        Keys.RequireLimits(recipe, "data.");
        var reading = new Reading(recipe, null, [], new PassedOver(), observer, stop);
        var files = ImageFiles(reading)
            ?? throw new InputException($"There are no images to pack at '{recipe.Source}': give a folder with one folder of images a class, an archive of one, or a list of images.");
        var (train, validation, test) = Read(files, reading);
        if (recipe.Size == 0 && new[] { train, validation, test }.Any(part => part?.ScaledFile is not null))
        {
            throw new InputException($"The images of '{recipe.Source}' have several sizes: say to which one they are scaled with data.size.");
        }

        if (reading.Passed.Sentence() is { } left)
        {
            observer.Note(left);
        }

        PackedImages.Write(path, files.Name, files.Folder, new PackedParts(train, validation, test, recipe.Size > 0 ? recipe.Filter : null), observer, stop);
        return (new[] { train, validation, test }.Sum(part => part?.Count ?? 0), reading.Skipped);
    }

    // The image files of what is one folder of them, or would be; null where it is something else.
    private static SourceFiles? ImageFiles(Reading reading)
    {
        var source = reading.Recipe.Source;
        return Directory.Exists(source) ? InFolder(Path.GetFullPath(source), Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source))), reading)
            : !File.Exists(source) ? null
            : ArchiveFiles.IsArchive(source) ? InFolder(Extracted(source, reading.Classes, reading.Observer, reading.Stop), ArchiveFiles.NameOf(source), reading)
            : ImageList.IsList(source) ? OnList(source, reading)
            : null;
    }

    private static SourceFiles InFolder(string folder, string name, Reading reading)
    {
        var recipe = reading.Recipe;
        var (layout, parts) = Parts(folder, name, reading.Classes, reading);
        string[] classes = [.. parts[0].Classes.Select(its => its.Name)];
        if (recipe.Extra.FirstOrDefault(extra => classes.Any(its => IsIn(Path.GetFullPath(extra), Path.Combine(parts[0].Path, its)))) is { } among)
        {
            throw new InputException($"The extra images in '{among}' lie among the class folders of '{parts[0].Path}', and would be read as a class of their own, too: move them out of it.");
        }

        if (classes.Length < (reading.Classes is null ? FewestClasses : 1))
        {
            // Nobody is to look for an archive's folders in the cache.
            var (train, within) = File.Exists(recipe.Source) ? (recipe.Source, "") : (parts[0].Path, parts[0].Path + Path.DirectorySeparatorChar);
            throw new InputException($"'{train}' has {(classes.Length == 0 ? "no class folders" : $"only one class folder ('{classes[0]}')")}: put the images of each class into a folder of its own, such as '{within}cat' and '{within}dog'.{(reading.Passed.Sentence() is { } passed ? $" {passed}" : "")}");
        }

        return new SourceFiles(new SplitImages(parts[0], Of(layout.Validation), Of(layout.Test)), name, folder, ($"'{folder}' has no test folder", "put all into test/CLASS/ inside of it"));

        FolderPart? Of(FolderTree? split) => split is null ? null : parts[layout.Parts.ToList().IndexOf(split)];
    }

    private static SourceFiles OnList(string list, Reading reading)
    {
        var (train, validation, test) = ImageList.Read(list);
        if (train is null)
        {
            // Whoever only measures needs no training images.
            var alone = reading.Classes is not null ? test ?? validation : throw new InputException($"'{list}' lists no training images: write train in the split of some.");
            (train, validation, test) = (alone, null, alone);
        }
        else if (test is null && validation is not null)
        {
            (validation, test) = (null, validation);
            reading.Observer.Note($"The validation images of '{list}' are the test set, because it lists no test images: validation images are held out from training.");
        }

        var classes = train!.Classes.Select(its => its.Name).ToHashSet();
        if (classes.Count < FewestClasses && reading.Classes is null)
        {
            throw new InputException($"'{list}' lists training images of only one class ('{classes.Single()}'): add those of the others.");
        }

        if (new[] { validation, test }.OfType<FolderPart>().SelectMany(part => part.Classes).FirstOrDefault(its => !classes.Contains(its.Name)).Name is { } stranger)
        {
            throw new InputException($"'{list}' lists images of the class '{stranger}' for validation or test, but none to train on{LookAlikes.Hint(stranger, [.. classes])}: add some, or leave the class out.");
        }

        return new SourceFiles(new SplitImages(train, validation, test), ImageList.NameOf(list), Path.GetDirectoryName(Path.GetFullPath(list))!, ($"'{list}' lists no test images", "write test in the split of all"));
    }

    private static DataSplits Open(SourceFiles files, long seed, Reading reading)
    {
        var (whole, validation, test) = Read(files, reading);
        var splits = Split(whole, validation, test, files.WithoutTest, seed, reading);
        if (reading.Recipe.Limit > 0)
        {
            whole.Use(whole.Count - Math.Max(0, splits.Train.Count - reading.Recipe.Limit));
        }

        return splits;
    }

    private static (FolderDataset Train, FolderDataset? Validation, FolderDataset? Test) Read(SourceFiles files, Reading reading)
    {
        var (parts, name) = (files.Images, files.Name);
        string[] classes = [.. parts.Train!.Classes.Select(its => Known(its.Name, reading))];
        FolderDataset Read(FolderPart part, bool someClasses) => FolderDataset.Open(part, name, classes, reading.Recipe, reading.Skipped, reading.Observer, someClasses, reading.Stop);
        var whole = Read(parts.Train, someClasses: false);
        var (test, validation) = (Part(parts.Test), Part(parts.Validation));
        return (whole, validation, test);

        FolderDataset? Part(FolderPart? its)
        {
            return its is null ? null : SameSize(whole, Read(its, someClasses: true), its.Path);
        }
    }

    private static DataSplits OpenPacked(string file, long seed, Reading reading)
    {
        var packed = PackedImages.Open(file, name => Known(name, reading));
        if (packed.Filter is { } filter && filter != reading.Recipe.Filter)
        {
            throw new InputException($"'{file}' holds images that were scaled with data.filter = {Keys.Kebab($"{filter}")}, not {Keys.Kebab($"{reading.Recipe.Filter}")}: set data.filter to that, or pack the images with the other.");
        }

        return Split(packed.Train, packed.Validation, packed.Test, ($"'{file}' has no test images", "pack a folder with test/CLASS/ inside of it"), seed, reading);
    }

    private static DataSplits Split(Dataset whole, Dataset? validation, Dataset? test, (string Fact, string Remedy) withoutTest, long seed, Reading reading)
    {
        var (recipe, observer) = (reading.Recipe, reading.Observer);
        var (rest, measured) = test is null ? StratifiedSplit.HoldOut(whole, recipe.Test, seed) : (whole, test);
        if (test is null && reading.Classes is not null && recipe.Fingerprint.Length == 0)
        {
            observer.Note(FormattableString.Invariant($"{withoutTest.Fact}, so {measured.Count:n0} of its {whole.Count:n0} images are held out as a training would do, and measured alone: {withoutTest.Remedy} to measure them all."));
        }

        var (kept, chosen) = validation is null ? HoldOutValidation(rest, recipe.Validation, seed) : (rest, validation);
        return new DataSplits(kept, chosen, measured, reading.Skipped);
    }

    // What a trained network calls a class, where it knows it by another name.
    private static string Known(string name, Reading reading) => reading.Classes is { } known ? ImageNetClasses.Known(name, known.Contains) : name;

    private static (FolderLayout Layout, IReadOnlyList<FolderPart> Parts) Parts(string folder, string name, IReadOnlyList<string>? known, Reading reading)
    {
        if (OwnOutput.Of(folder) is var (what, remedy))
        {
            throw new InputException($"'{folder}' is {what}, not data to open: {remedy}.");
        }

        var root = FolderTree.Read(folder, FolderIndex.Open(CacheFolder.Default, folder), reading.Stop);
        var layout = FolderLayout.Of(root, name, known, reading.Passed, reading.Observer);
        return (layout, FolderPart.Read(root, [.. layout.Parts.Distinct()], reading.Passed));
    }

    private static string Extracted(string archive, IReadOnlyList<string>? known, IRunObserver observer, CancellationToken stop) =>
        FolderLayout.Inside(ArchiveFiles.ExtractedFolder(archive, CacheFolder.Default, new ObservedProgress("extracting", observer), stop), known);

    private static ExtraImages? OpenExtra(Dataset train, Reading reading)
    {
        var (recipe, observer, stop) = (reading.Recipe, reading.Observer, reading.Stop);
        if (recipe.Extra.Count == 0)
        {
            return recipe.ExtraFraction == 0 ? null : throw new InputException("data.extra-fraction is set, but no extra images are: name their folder in data.extra.");
        }

        // Their size is that of the images that they are added to.
        var sized = recipe with { Size = train.Width == train.Height ? train.Width : recipe.Size };
        var parts = recipe.Extra.Select(path =>
        {
            if (File.Exists(path) && ImageList.IsList(path))
            {
                return Added(FolderDataset.Open(Listed(path), ImageList.NameOf(path), train.Classes, sized, reading.Skipped, observer, someClasses: true, stop), path);
            }

            if (PackedImages.Is(path))
            {
                return Added(Named(PackedImages.Open(path, name => name).Train, path), path);
            }

            var folder = Directory.Exists(path) ? Path.GetFullPath(path)
                : File.Exists(path) && ArchiveFiles.IsArchive(path) ? Extracted(path, train.Classes, observer, stop)
                : throw new InputException($"{(File.Exists(path) ? $"'{path}' is neither a folder, an archive nor a list of extra images" : $"There are no extra images at '{path}'")}: give a folder with one folder of images a class or with image.npy and label.npy, an archive of one, or a list.");
            var name = File.Exists(path) ? ArchiveFiles.NameOf(path) : Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
            return Added(
                NumpyImages.AreIn(folder)
                    ? NumpyImages.Open(folder, train.Classes)
                    : FolderDataset.Open(Parts(folder, name, train.Classes, reading).Parts[0], name, train.Classes, sized, reading.Skipped, observer, someClasses: true, stop),
                path);
        }).ToList();
        return new ExtraImages(parts.Count == 1 ? parts[0] : new JoinedDataset(parts), recipe.ExtraFraction);

        Dataset Added(Dataset images, string path)
        {
            observer.Note($"{images.Name}: {images.Count:n0} extra training images");
            return SameSize(train, images, path);
        }

        SubsetDataset Named(Dataset images, string path) => images.Classes.FirstOrDefault(name => !train.Classes.Contains(name)) is { } stranger
            ? throw new InputException($"The class '{stranger}' of '{path}' is not among the training classes{LookAlikes.Hint(stranger, train.Classes)}: pack images of the same classes.")
            : new SubsetDataset(images, [.. Enumerable.Range(0, images.Count)], train.Classes);

        static FolderPart Listed(string list) => ImageList.Read(list).Train ?? throw new InputException($"'{list}' lists no training images: write train in the split of some, or leave the column out.");
    }

    private static DataSplits ForClasses(DataSplits splits, IReadOnlyList<string>? classes)
    {
        var own = splits.Train.Classes;
        if (classes is null || own.SequenceEqual(classes))
        {
            return splits;
        }

        return own.FirstOrDefault(name => !classes.Contains(name)) is { } stranger
            ? throw new InputException($"The class '{stranger}' of {splits.Train.Name} ({Some(own)}) is none of those that the network was trained on ({Some(classes)}){LookAlikes.Hint(stranger, classes)}: name the classes alike.")
            : splits with { Train = Named(splits.Train), Validation = Named(splits.Validation), Test = Named(splits.Test) };

        SubsetDataset Named(Dataset part) => new(part, [.. Enumerable.Range(0, part.Count)], classes);

        static string Some(IReadOnlyList<string> names) => string.Join(", ", names.Take(5)) + (names.Count > 5 ? ", ..." : "");
    }

    /// <summary>Holds out validation images from training images; none where the fraction is 0.</summary>
    internal static (Dataset Train, Dataset Validation) HoldOutValidation(Dataset train, double fraction, long seed) => fraction > 0
        ? StratifiedSplit.HoldOut(train, fraction, unchecked(seed + 1))
        : (train, new SubsetDataset(train, []));

    private static T SameSize<T>(Dataset train, T other, string folder)
        where T : Dataset => (train.Width, train.Height) == (other.Width, other.Height)
        ? other
        : throw new InputException($"The images in '{folder}' are {other.Width}x{other.Height} pixels, the training images {train.Width}x{train.Height}: set data.size to one size.");

    private static bool IsIn(string path, string folder) => $"{Path.TrimEndingDirectorySeparator(path)}{Path.DirectorySeparatorChar}".StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>Image files that were found, before any is opened.</summary>
    private sealed record SourceFiles(SplitImages Images, string Name, string Folder, (string Fact, string Remedy) WithoutTest);

    /// <summary>What all steps of reading data share.</summary>
    private sealed record Reading(DataRecipe Recipe, IReadOnlyList<string>? Classes, List<string> Skipped, PassedOver Passed, IRunObserver Observer, CancellationToken Stop);
}
