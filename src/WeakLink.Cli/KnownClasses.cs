using WeakLink.Data;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary>Data for a network that is trained already.</summary>
internal static class KnownClasses
{
    /// <summary>Opens the recipe's data; labels index the network's classes by name, of which the data may lack some.</summary>
    /// <exception cref="InputException">They have a class that the network does not know, or their images are not of its size.</exception>
    public static DataSplits Open(Recipe recipe, TrainedModel trained, IRunObserver observer, CancellationToken stop)
    {
        if (recipe is { Name: ImportCommand.RecipeName, Data.Source: "shapes" } && !trained.Classes.SequenceEqual(ShapesDataset.Classes))
        {
            throw new InputException("The network was imported without data: name those to measure on with --data.");
        }

        var splits = DataSources.Open(recipe.Data.WithoutExtra(), trained.Classes, recipe.Seed, observer, stop);
        RequireSize(splits.Train, trained);
        return splits;
    }

    /// <summary>Checks that data have the classes of a network.</summary>
    /// <exception cref="InputException">Their classes are not those of the network.</exception>
    public static void Require(Dataset data, TrainedModel trained)
    {
        if (!data.Classes.SequenceEqual(trained.Classes))
        {
            throw new InputException($"The classes of {data.Name} ({Some(data.Classes)}) are not those that the network was trained on ({Some(trained.Classes)}): {Difference(data.Classes, trained.Classes)}; name the folders alike.");
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

    private static string Difference(IReadOnlyList<string> data, IReadOnlyList<string> network)
    {
        var place = Enumerable.Range(0, Math.Max(data.Count, network.Count)).First(i => i >= data.Count || i >= network.Count || data[i] != network[i]);
        return $"class {place} is {Name(data)} in the data and {Name(network)} in the network";

        string Name(IReadOnlyList<string> classes) => place < classes.Count ? $"'{classes[place]}'" : "missing";
    }
}
