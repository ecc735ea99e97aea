namespace WeakLink.Recipes;

/// <summary>In which keys recipes differ.</summary>
public static class RecipeDifferences
{
    // How a run is called and carried out, not what comes out of it.
    private static readonly HashSet<string> Incidental =
        ["name", "data.cache-megabytes", "training.threads", "training.workers", "training.checkpoint-every", "evaluation.batch"];

    // Where the data are; what they are says data.fingerprint.
    private static readonly HashSet<string> Places = ["data.source", "data.extra"];

    // What a run fills in where the recipe leaves it open, by the value that leaves it open.
    private static readonly Dictionary<string, string> Open = new()
    {
        ["data.size"] = "0",
        ["data.fingerprint"] = "",
        ["model.mean"] = "",
        ["model.standard-deviation"] = "",
        ["training.precision"] = "auto",
        ["training.layout"] = "auto",
    };

    // What a seed brings with it: which images are held out, and so the mean of the others.
    private static readonly HashSet<string> OfTheSeed = ["seed", "data.fingerprint", "model.mean", "model.standard-deviation"];

    /// <summary>The first key in which a run is not what a recipe asks for.</summary>
    /// <param name="asked">The recipe as it is asked for, with the seed.</param>
    /// <param name="resolved">The recipe of a run, resolved.</param>
    /// <returns>The key with both values; null where the run is what is asked for.</returns>
    public static (string Key, string Asked, string There)? Contradiction(Recipe asked, Recipe resolved) =>
        RecipeFile.ValuesOf(AsKept(asked)).Zip(RecipeFile.ValuesOf(AsKept(resolved)), (wanted, there) => (wanted.Name, wanted.Value, There: there.Value))
            .Where(key => key.Value != key.There && !Incidental.Contains(key.Name) && !(Open.TryGetValue(key.Name, out var open) && key.Value == open))
            .Select(key => ((string, string, string)?)key).FirstOrDefault();

    /// <summary>The first key in which two recipes of one run differ that would give another result; where its data are now, and how it is carried out, may change.</summary>
    /// <returns>The key with both values; null where there is none.</returns>
    internal static (string Key, string One, string Other)? WithinRun(Recipe one, Recipe other) =>
        RecipeFile.ValuesOf(one).Zip(RecipeFile.ValuesOf(other), (mine, its) => (mine.Name, mine.Value, Other: its.Value))
            .Where(key => key.Value != key.Other && !Incidental.Contains(key.Name) && !Places.Contains(key.Name))
            .Select(key => ((string, string, string)?)key).FirstOrDefault();

    /// <summary>A value in a sentence.</summary>
    internal static string Quoted(string value) => value.Length == 0 ? "(none)" : value;

    /// <summary>What runs of one recipe have in common whatever their seeds: equal text, equal recipe.</summary>
    internal static string WithoutSeed(Recipe resolved) =>
        string.Join('\n', RecipeFile.ValuesOf(resolved).Where(key => !Incidental.Contains(key.Name) && !OfTheSeed.Contains(key.Name)));

    /// <summary>The keys that do not have the same value in all recipes, each with its values in the recipes' order; what follows from the seed is left out.</summary>
    public static IReadOnlyList<(string Key, IReadOnlyList<string> Values)> Between(IReadOnlyList<Recipe> recipes)
    {
        var values = recipes.Select(RecipeFile.ValuesOf).ToList();
        return [.. from key in Enumerable.Range(0, values[0].Count)
                   let name = values[0][key].Name
                   let each = values.Select(recipe => recipe[key].Value).ToList()
                   where each.Distinct().Count() > 1 && !OfTheSeed.Contains(name)
                   select (name, (IReadOnlyList<string>)each)];
    }

    // As a run keeps them: so that it can be resumed from another folder, and without what follows from other keys.
    private static Recipe AsKept(Recipe recipe) => recipe with
    {
        Data = recipe.Data with
        {
            Source = RecipeResolution.AbsoluteSource(recipe.Data.Source),
            Extra = [.. recipe.Data.Extra.Select(Path.GetFullPath)],
        },
        Objective = recipe.Objective.WithStepSize(),
    };
}
