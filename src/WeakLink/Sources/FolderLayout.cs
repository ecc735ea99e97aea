using System.Text.RegularExpressions;

namespace WeakLink.Sources;

/// <summary>
/// How a folder of images is split. Names alone don't tell: "train" is a class beside "apple" and "bus". Folders are splits where they are called so, in any usual
/// spelling, hold class folders, and have nothing but splits beside them (or a training and a test or validation folder share their classes).
/// </summary>
/// <param name="Train">The folder with the class folders of the training images, or of all images.</param>
/// <param name="Validation">That of the validation images; null: none.</param>
/// <param name="Test">That of the test images; null: none.</param>
internal sealed partial record FolderLayout(FolderTree Train, FolderTree? Validation, FolderTree? Test)
{
    internal const string TrainKind = "train", ValidationKind = "val", TestKind = "test";

    /// <summary>The folders that hold class folders.</summary>
    public IEnumerable<FolderTree> Parts => new[] { Train, Validation, Test }.OfType<FolderTree>();

    /// <summary>
    /// Where the content of an archive begins: most hold <c>images/train/cat/...</c> or <c>images/cat/...</c>, where "images" is no class.
    /// </summary>
    /// <param name="folder">The extracted archive.</param>
    /// <param name="known">Classes that are known beforehand: a folder that is called like one of them, and holds no other, is that class. Null: none.</param>
    public static string Inside(string folder, IReadOnlyList<string>? known)
    {
        while (Folders(folder) is [var only] && !Directory.EnumerateFiles(folder).Any(ImageFile.IsImage) && Folders(only) is { Count: > 0 } deeper && !(IsClass(only) && !deeper.Exists(IsClass)))
        {
            folder = only;
        }

        return folder;

        static List<string> Folders(string folder) => [.. Directory.GetDirectories(folder).Where(inside => !Path.GetFileName(inside).StartsWith('.'))];

        bool IsClass(string folder) => known?.Contains(Path.GetFileName(folder)) == true;
    }

    /// <summary>Tells how a folder is split.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="name">What to call the data.</param>
    /// <param name="known">Classes that are known beforehand: a folder that is called like one of them and holds no class folders is that class. Null: none.</param>
    /// <param name="passed">Receives what lies beside the class folders.</param>
    /// <param name="observer">Told how it was understood where that is not plain.</param>
    /// <exception cref="InputException">It can't be told.</exception>
    public static FolderLayout Of(FolderTree root, string name, IReadOnlyList<string>? known, PassedOver passed, IRunObserver observer)
    {
        var named = root.Folders
            .Select(child => (Child: child, Kind: Kind(child.Name), Holds: HoldsClassFolders(child.Folder)))
            .Where(one => one.Kind is not null && (one.Holds || known?.Contains(one.Child.Name) != true))
            .ToList();
        var others = root.Folders.Where(child => named.All(one => one.Child != child) && child.Folder.HoldsImages()).ToList();
        var splits = named.Where(one => one.Holds).ToList();
        var flat = named.Where(one => !one.Holds && one.Child.Folder.HoldsImages()).Select(one => one.Child.Name).ToList();
        if (splits.Count == 0 || (others.Count > 0 && !ShareClasses()))
        {
            if (others.Count == 0 && flat.Count > 0)
            {
                throw new InputException($"The images of '{Path.Combine(root.Path, flat[0])}' lie in no class folders, and {Names(flat)} {(flat.Count == 1 ? "is a name" : "are names")} of splits: put the images of each class into a folder of its own, or give the folder another name if it is a class.");
            }

            if (named.Count > 0 && others.Count > 0)
            {
                observer.Note($"{Names([.. named.Select(one => one.Child.Name)])} of {name} {(named.Count == 1 ? "is" : "are")} read as {(named.Count == 1 ? "a class" : "classes")}, not as {(named.Count == 1 ? "a split" : "splits")}, because {Names([.. others.Take(3).Select(other => other.Name)])} {(others.Count == 1 ? "is" : "are")} beside {(named.Count == 1 ? "it" : "them")}.");
            }

            NameAlike(root, name, observer);
            Leave(root, passed);
            return new FolderLayout(root, null, null);
        }

        Leave(root, passed);
        if (splits.GroupBy(one => one.Kind).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new InputException($"'{root.Path}' has {Names([.. twice.Select(one => one.Child.Name)])}, which mean the same split: keep one of them there.");
        }

        if (flat.Count > 0)
        {
            observer.Note($"The images of {Names(flat)} of {name} lie in no class folders, so that nothing tells their classes: they are not used.");
        }

        if (others.Count > 0)
        {
            observer.Note($"{Names([.. others.Take(5).Select(other => other.Name)])}{(others.Count > 5 ? $" and {others.Count - 5} more folders" : "")} beside the splits of {name} {(others.Count == 1 ? "is" : "are")} not read.");
        }

        var (train, validation, test) = (Split(TrainKind), Split(ValidationKind), Split(TestKind));
        if (train is null && known is not null && (test ?? validation) is { } alone)
        {
            // Whoever only measures needs no training images.
            Leave(alone, passed);
            return new FolderLayout(alone, null, alone);
        }

        if (train is null)
        {
            var orphan = splits[0].Child;
            throw new InputException($"'{root.Path}' has '{orphan.Name}' but no 'train' folder with class folders: add it, or give the folder that holds the class folders, such as '{orphan.Path}'.");
        }

        if (test is null && validation is not null)
        {
            // The layout of ImageNet, where "val" is what everyone tests on.
            (validation, test) = (null, validation);
            observer.Note($"'{splits.First(one => one.Kind == ValidationKind).Child.Name}' of {name} is the test set, because there is no 'test': validation images are held out from training.");
        }

        foreach (var part in new[] { train, validation, test }.OfType<FolderTree>())
        {
            Leave(part, passed);
        }

        return new FolderLayout(train, validation, test);

        bool ShareClasses() => splits.Any(one => one.Kind == TrainKind) && splits.Where(one => one.Kind == TrainKind).SelectMany(one => ClassNames(Inner(one.Child.Folder, TrainKind))).ToHashSet() is { Count: > 1 } trained
            && splits.Any(one => one.Kind != TrainKind && ClassNames(Inner(one.Child.Folder, one.Kind!)).Any(trained.Contains));

        FolderTree? Split(string kind) => splits.FirstOrDefault(one => one.Kind == kind).Child is { } child ? Inner(child.Folder, kind) : null;
    }

    /// <summary>The split that a name means: train, val or test in any usual spelling; null: none.</summary>
    internal static string? Kind(string name) => SplitName().Match(name) switch
    {
        { Success: false } => null,
        var match when match.Groups[TrainKind].Success => TrainKind,
        var match when match.Groups[ValidationKind].Success => ValidationKind,
        _ => TestKind,
    };

    // As in training_set, Test-Images, seg_train, valid, EVALUATION.
    [GeneratedRegex("^(?:seg[ _-]?|images?[ _-]?)?(?:(?<train>train|training)|(?<val>val|valid|validation|dev)|(?<test>test|testing|eval|evaluation))(?:[ _-]?(?:set|data|dataset|images?|imgs?|split|folder))?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SplitName();

    // Splits that are not called so, or splits within each class, look like this.
    private static void NameAlike(FolderTree root, string name, IRunObserver observer)
    {
        const int FewestAlike = 2;
        var inside = root.Folders.Where(child => child.Folder.HoldsImages()).Select(child => (child.Name, Classes: ClassNames(child.Folder).ToHashSet())).ToList();
        if (inside.Count > 1 && inside[0].Classes.Count >= FewestAlike && inside.All(child => child.Classes.SetEquals(inside[0].Classes)))
        {
            observer.Note($"The classes of {name} are taken to be {Names([.. inside.Take(5).Select(child => child.Name)])}{(inside.Count > 5 ? " ..." : "")}, though each holds {Names([.. inside[0].Classes.Order(StringComparer.Ordinal).Take(5)])}, which are read together: if the outer folders are splits, call them train, val and test; if the inner ones are, put them outside.");
        }
    }

    private static bool HoldsClassFolders(FolderTree folder) => folder.Folders.Any(child => child.Folder != folder && child.Folder.HoldsImages());

    private static IEnumerable<string> ClassNames(FolderTree folder) => folder.Folders.Where(child => child.Folder.HoldsImages()).Select(child => child.Name);

    // Some archives pack a split once more into a folder of its name: seg_train/seg_train/forest.
    private static FolderTree Inner(FolderTree folder, string kind)
    {
        while (folder.Folders is [var only] && Kind(only.Name) == kind && !only.IsLink && HoldsClassFolders(only.Folder))
        {
            folder = only.Folder;
        }

        return folder;
    }

    private static void Leave(FolderTree folder, PassedOver passed)
    {
        foreach (var (kind, path) in folder.Others)
        {
            if (kind == FolderTree.UnreadableName)
            {
                // It may be a class.
                throw new InputException($"'{folder.Path}' holds '{Path.GetFileName(path)}', whose name is not UTF-8, so that it can't be opened: rename it (convmv -f latin1 -t utf8 -r --notest '{folder.Path}' renames all of these).");
            }

            passed.Add(kind, path);
        }

        foreach (var image in folder.OwnImages)
        {
            passed.Add("images outside of the class folders", image);
        }
    }

    private static string Names(List<string> names) => names.Count == 1 ? $"'{names[0]}'" : $"{string.Join(", ", names.SkipLast(1).Select(name => $"'{name}'"))} and '{names[^1]}'";
}
