using System.Reflection;

namespace WeakLink.Recipes;

/// <summary>In which keys recipes differ.</summary>
public static class RecipeDifferences
{
    private static readonly Dictionary<string, SettingKind> Kinds =
        Keys.Of(new Recipe()).ToDictionary(key => key.Name, key => key.Property.GetCustomAttribute<SettingAttribute>()?.Kind ?? SettingKind.Deciding);

    private static readonly Dictionary<string, string> Defaults = RecipeKeys.All.ToDictionary(key => key.Name, key => key.Default);

    /// <summary>The first key in which a run is not what a recipe asks for.</summary>
    /// <param name="asked">The recipe as it is asked for, with the seed.</param>
    /// <param name="resolved">The recipe of a run, resolved.</param>
    /// <returns>The key with both values; null where the run is what is asked for.</returns>
    public static (string Key, string Asked, string There)? Contradiction(Recipe asked, Recipe resolved) =>
        RecipeKeys.ValuesOf(AsKept(WithNetworkOf(asked, resolved))).Zip(RecipeKeys.ValuesOf(AsKept(resolved)), (wanted, there) => (wanted.Name, wanted.Value, There: there.Value))
            .Where(key => key.Value != key.There && !Is(key.Name, SettingKind.Incidental) && !(Is(key.Name, SettingKind.FilledIn) && key.Value == Defaults[key.Name]))
            .Select(key => ((string, string, string)?)key).FirstOrDefault();

    /// <summary>The first key in which two recipes of one run differ that would give another result; where its data are now, and how it is carried out, may change.</summary>
    /// <returns>The key with both values; null where there is none.</returns>
    internal static (string Key, string One, string Other)? WithinRun(Recipe one, Recipe other) =>
        RecipeKeys.ValuesOf(one).Zip(RecipeKeys.ValuesOf(other), (mine, its) => (mine.Name, mine.Value, Other: its.Value))
            .Where(key => key.Value != key.Other && !Is(key.Name, SettingKind.Incidental | SettingKind.Place))
            .Select(key => ((string, string, string)?)key).FirstOrDefault();

    /// <summary>A value in a sentence.</summary>
    internal static string Quoted(string value) => value.Length == 0 ? "(none)" : value;

    /// <summary>What runs of one recipe have in common whatever their seeds: equal text, equal recipe.</summary>
    internal static string WithoutSeed(Recipe resolved) =>
        string.Join('\n', RecipeKeys.ValuesOf(resolved).Where(key => !Is(key.Name, SettingKind.Incidental | SettingKind.OfTheSeed)));

    /// <summary>The keys that do not have the same value in all recipes, each with its values in the recipes' order; what follows from the seed is left out.</summary>
    public static IReadOnlyList<(string Key, IReadOnlyList<string> Values)> Between(IReadOnlyList<Recipe> recipes)
    {
        var values = recipes.Select(RecipeKeys.ValuesOf).ToList();
        return [.. from key in Enumerable.Range(0, values[0].Count)
                   let name = values[0][key].Name
                   let each = values.Select(recipe => recipe[key].Value).ToList()
                   where each.Distinct().Count() > 1 && !Is(name, SettingKind.OfTheSeed)
                   select (name, (IReadOnlyList<string>)each)];
    }

    private static bool Is(string key, SettingKind any) => (Kinds[key] & any) != 0;

    // The weights say which network, and the run knows.
    private static Recipe WithNetworkOf(Recipe asked, Recipe resolved) => asked.Model.Name != ModelRecipe.Auto ? asked
        : asked with { Model = asked.Model with { Name = resolved.Model.Name, WidthMultiplier = resolved.Model.WidthMultiplier } };

    // As a run keeps them: so that it can be resumed from another folder, and without what follows from other keys.
    private static Recipe AsKept(Recipe recipe) => recipe with
    {
        Data = recipe.Data with
        {
            Source = RecipeResolution.AbsoluteSource(recipe.Data.Source),
            Extra = [.. recipe.Data.Extra.Select(Path.GetFullPath)],
        },
        Model = recipe.Model with { Weights = RecipeResolution.AbsoluteSource(recipe.Model.Weights) },
        Objective = recipe.Objective.WithStepSize(),
        Evaluation = recipe.Evaluation.WithAbsoluteFolders(),
    };
}
