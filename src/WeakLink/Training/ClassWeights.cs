using WeakLink.Data;

namespace WeakLink.Training;

/// <summary>How much an image counts, so that all classes together count alike.</summary>
public static class ClassWeights
{
    /// <summary>images / (classes · images of the class): 1 on average over the images. 0 for a class that has none.</summary>
    /// <param name="sets">What is trained on, of the same classes.</param>
    public static IReadOnlyList<double> Of(params IReadOnlyList<Dataset> sets)
    {
        var counts = new int[sets[0].Classes.Count];
        foreach (var images in sets)
        {
            for (var i = 0; i < images.Count; i++)
            {
                counts[images.Label(i)]++;
            }
        }

        var present = counts.Count(count => count > 0);
        return [.. counts.Select(count => count == 0 ? 0 : counts.Sum() / ((double)present * count))];
    }
}
