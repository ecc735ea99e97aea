using WeakLink.Data;

namespace WeakLink.Training;

/// <summary>How much an image counts, so that all classes together count alike.</summary>
public static class ClassWeights
{
    /// <summary>1 / (classes · part of the batches' images that are of the class): 1 on average over the images. 0 for a class that has none.</summary>
    /// <param name="images">What is trained on.</param>
    /// <param name="extra">What is trained on beside it, of the same classes; null: nothing.</param>
    public static IReadOnlyList<double> Of(Dataset images, ExtraImages? extra = null)
    {
        var (own, others) = (Counts(images), extra is null ? new double[images.Classes.Count] : Counts(extra.Images));
        double[] parts = extra is { Fraction: > 0 and var fraction }
            ? [.. own.Zip(others, (mine, its) => ((1 - fraction) * mine / images.Count) + (fraction * its / extra.Images.Count))]
            : [.. own.Zip(others, (mine, its) => (mine + its) / (own.Sum() + others.Sum()))];
        var present = parts.Count(part => part > 0);
        return [.. parts.Select(part => part == 0 ? 0 : 1 / (present * part))];
    }

    private static double[] Counts(Dataset images)
    {
        var counts = new double[images.Classes.Count];
        for (var i = 0; i < images.Count; i++)
        {
            counts[images.Label(i)]++;
        }

        return counts;
    }
}
