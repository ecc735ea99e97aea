using WeakLink.Data;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary>Data for a network that is trained already.</summary>
internal static class KnownClasses
{
    /// <summary>Opens the recipe's data.</summary>
    /// <exception cref="InputException">Their classes, or the size of their images, are not those of the network.</exception>
    public static DataSplits Open(Recipe recipe, TrainedModel trained, IRunObserver observer, CancellationToken stop)
    {
        var splits = DataSources.Open(recipe.Data.WithoutExtra(), recipe.Seed, observer, stop);
        Require(splits.Train, trained);
        RequireSize(splits.Train, trained);
        return splits;
    }

    /// <summary>Checks that data have the classes of a network.</summary>
    /// <exception cref="InputException">Their classes are not those of the network.</exception>
    public static void Require(Dataset data, TrainedModel trained)
    {
        if (!data.Classes.SequenceEqual(trained.Classes))
        {
            throw new InputException($"The classes of {data.Name} ({Some(data.Classes)}) are not those that the network was trained on ({Some(trained.Classes)}): name the folders alike.");
        }
    }

    private static void RequireSize(Dataset data, TrainedModel trained)
    {
        var (width, height) = (trained.Size.Width, trained.Size.Height);
        if ((data.Width, data.Height) != (width, height))
        {
            throw new InputException($"The images of {data.Name} are {data.Width}x{data.Height} pixels, but the network takes {width}x{height}: {((data.Height, data.Width) == (width, height) ? "turn them by 90 degrees" : width == height ? "scale them, or leave out data.size, which scales them for the network where they are files" : "scale them")}.");
        }
    }

    private static string Some(IReadOnlyList<string> classes) => string.Join(", ", classes.Take(5)) + (classes.Count > 5 ? ", ..." : "");
}
