using System.Reflection;

namespace WeakLink.Sources;

/// <summary>
/// The 1,000 classes of ImageNet (ILSVRC 2012; Russakovsky et al. 2015), in the order of published networks' logits: that of the WordNet ids after which the folders of
/// ImageNet, ImageNet-A, -C, -R and others are called (n01440764), by which names a network's classes are found in such folders. The names are torchvision's.
/// </summary>
public static class ImageNetClasses
{
    private const string Resource = "imagenet-classes.txt";

    private static readonly Lazy<IReadOnlyList<(string Id, string Name)>> All = new(() =>
    {
        using var lines = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!);
        return [.. lines.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1]))];
    });

    private static readonly Lazy<Dictionary<string, string>> ById = new(() => All.Value.ToDictionary(its => its.Id, its => its.Name));

    /// <summary>The names, in the order of the logits; each its own ("crane" is the machine, "crane bird" the bird).</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Value.Select(its => its.Name)];

    /// <summary>The WordNet ids, in the same order: ascending.</summary>
    public static IReadOnlyList<string> Ids { get; } = [.. All.Value.Select(its => its.Id)];

    /// <summary>Whether these are all of them, by their names or by their ids, in whatever order.</summary>
    internal static bool Are(IReadOnlyList<string> classes) => classes.Count == Names.Count && new[] { Names, Ids }.Any(all => classes.ToHashSet(StringComparer.Ordinal).SetEquals(all));

    /// <summary>What a class of some data is called by a network: as there, or where its name there is a WordNet id that the network does not know, by ImageNet's name for it.</summary>
    /// <param name="name">The class's name in the data.</param>
    /// <param name="knows">Whether the network has a class of that name.</param>
    internal static string Known(string name, Func<string, bool> knows) =>
        !knows(name) && ById.Value.TryGetValue(name, out var readable) && knows(readable) ? readable : name;
}
