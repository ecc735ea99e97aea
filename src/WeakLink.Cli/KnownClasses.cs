using WeakLink.Data;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary>Data for a network that is trained already.</summary>
internal static class KnownClasses
{
    /// <summary>Opens the recipe's data; labels index the network's classes by name, of which the data may lack some.</summary>
    /// <exception cref="InputException">They have a class that the network does not know.</exception>
    public static DataSplits Open(Recipe recipe, TrainedModel trained, IRunObserver observer, CancellationToken stop) =>
        DataSources.Open(recipe.Data.WithoutExtra(), trained.Classes, recipe.Seed, observer, stop);

    /// <summary>Checks that data have the classes of a network.</summary>
    /// <exception cref="InputException">Their classes are not those of the network.</exception>
    public static void Require(Dataset data, TrainedModel trained)
    {
        if (!data.Classes.SequenceEqual(trained.Classes))
        {
            throw new InputException($"The classes of {data.Name} ({Some(data.Classes)}) are not those that the network was trained on ({Some(trained.Classes)}): {Difference(data.Classes, trained.Classes)}; name the folders alike.");
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
