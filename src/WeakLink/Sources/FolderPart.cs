namespace WeakLink.Sources;

/// <summary>A folder of class folders, and the images of each; or a list of images by class.</summary>
/// <param name="Path">The folder, or the list.</param>
/// <param name="Classes">Name and images of each class, in the order of the labels; a folder's images may be missing.</param>
internal sealed record FolderPart(string Path, IReadOnlyList<(string Name, IReadOnlyList<string> Images)> Classes)
{
    /// <summary>What is kept of the folder; null of a list.</summary>
    public FolderIndex? Index { get; init; }

    /// <summary>The images of folders that belong together; none of them is in two.</summary>
    /// <param name="root">The folder that holds them all.</param>
    /// <param name="folders">Folders of class folders; may be <paramref name="root"/> itself.</param>
    /// <param name="passed">Receives what is left out.</param>
    public static IReadOnlyList<FolderPart> Read(FolderTree root, IReadOnlyList<FolderTree> folders, PassedOver passed)
    {
        var classes = folders.Select(folder => folder.Folders.Where(child => MayBeClass(child, passed)).ToList()).ToList();
        var images = new Queue<IReadOnlyList<string>>(FolderTree.Images([.. classes.SelectMany(children => children)], folders.Prepend(root), passed));
        return
        [
            .. folders.Zip(classes, (folder, children) => new FolderPart(
                folder.Path,
                // A link to what other folders hold is no class.
                [.. children.Select(child => (child.Name, child.IsLink, Images: images.Dequeue())).Where(child => !child.IsLink || child.Images.Count > 0).Select(child => (child.Name, child.Images))]) { Index = root.Index }),
        ];
    }

    // What holds other things than pictures is not meant as a class: annotations, or what WeakLink wrote. An empty folder, or one of pictures that can't be read, may be.
    private static bool MayBeClass(FolderTree.Child child, PassedOver passed)
    {
        if (child.Folder.HoldsImages())
        {
            return true;
        }

        var others = child.Folder.Below().SelectMany(folder => folder.Others).Where(other => other.Kind != FolderTree.Hidden).ToList();
        if (others.Count == 0 || others.Any(other => PassedOver.IsPicture(other.Path) || other.Kind == FolderTree.UnreadableName))
        {
            return true;
        }

        passed.Add(others.Any(other => other.Kind == FolderTree.Own) ? FolderTree.Own : "folders without pictures", child.Path);
        return false;
    }
}
