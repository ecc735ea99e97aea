namespace WeakLink.Data;

/// <summary>Splits images so that every class has its share in each part.</summary>
public static class StratifiedSplit
{
    /// <summary>Indices in a seeded random order in which the classes take turns in proportion to their size: every beginning of it is stratified.</summary>
    /// <param name="labels">The class of each image.</param>
    /// <param name="seed">Decides the order.</param>
    public static int[] Order(IReadOnlyList<int> labels, long seed) =>
        [.. labels
            .Select((label, index) => (label, index))
            .GroupBy(image => image.label)
            .SelectMany(images =>
            {
                var members = images.Select(image => image.index).ToArray();
                new SeededRandom(seed, RandomUse.Split, 0, images.Key).Shuffle<int>(members);
                return members.Select((index, rank) => (Place: (rank + 0.5) / members.Length, images.Key, index));
            })
            .OrderBy(image => image.Place)
            .ThenBy(image => image.Key)
            .Select(image => image.index)];

    /// <summary>Holds out a part of a data set; every class with at least two images is in both parts.</summary>
    /// <param name="whole">The data set.</param>
    /// <param name="fraction">The part to hold out, in (0, 1).</param>
    /// <param name="seed">Decides which images.</param>
    /// <returns>What is kept and the held-out part, each in the order of <paramref name="whole"/>.</returns>
    public static (Dataset Kept, Dataset HeldOut) HoldOut(Dataset whole, double fraction, long seed)
    {
        var labels = Labels(whole);
        var heldOut = new HashSet<int>();
        foreach (var images in Enumerable.Range(0, labels.Length).GroupBy(index => labels[index]))
        {
            var members = images.ToArray();
            new SeededRandom(seed, RandomUse.Split, 1, images.Key).Shuffle<int>(members);
            var count = members.Length < 2 ? 0 : Math.Clamp((int)Math.Round(fraction * members.Length), 1, members.Length - 1);
            heldOut.UnionWith(members.Take(count));
        }

        return (Part(index => !heldOut.Contains(index)), Part(heldOut.Contains));

        SubsetDataset Part(Func<int, bool> belongs) => new(whole, [.. Enumerable.Range(0, labels.Length).Where(belongs)]);
    }

    /// <summary>At most <paramref name="count"/> images, stratified.</summary>
    /// <param name="whole">The data set.</param>
    /// <param name="count">How many; 0: all.</param>
    /// <param name="seed">Decides which images.</param>
    public static Dataset Limit(Dataset whole, int count, long seed) => count <= 0 || count >= whole.Count
        ? whole
        : new SubsetDataset(whole, [.. Order(Labels(whole), seed).Take(count).Order()]);

    private static int[] Labels(Dataset whole) => [.. Enumerable.Range(0, whole.Count).Select(whole.Label)];
}
