using System.Text.RegularExpressions;
using WeakLink.Recipes;

namespace WeakLink.Comparisons;

/// <summary>One of the ways of training that are compared.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Recipe">A recipe by name or path.</param>
/// <param name="Settings">What it changes of the recipe, each <c>key=value</c>.</param>
public sealed partial record Arm(string Name, string Recipe, params IReadOnlyList<string> Settings)
{
    private const string SeedKey = "seed";
    private const char Or = '|';

    /// <summary>What its run folders are called, before the seed.</summary>
    public string Folder { get; init; } = FolderFor(Name);

    /// <summary>An arm as text: <c>[NAME=]RECIPE[,KEY=VALUE]...</c>.</summary>
    /// <param name="text">
    /// Such as <c>plain=shapes,ews.search=off</c>. An item without '=' continues the value before it, as in
    /// <c>augmentation.sequence=crop,flip,augmix</c>; values with '|' between are variants. Without a name an arm is called by its recipe and settings.
    /// </param>
    /// <exception cref="InputException">It names no recipe.</exception>
    public static Arm Parse(string text)
    {
        var settings = new List<string>();
        var items = text.Split(',');
        foreach (var item in items.Skip(1))
        {
            if (item.Contains('=', StringComparison.Ordinal))
            {
                settings.Add(item.Trim());
            }
            else if (settings.Count > 0)
            {
                settings[^1] += "," + item.Trim();
            }
            else
            {
                throw new InputException($"'{text}': '{item}' is no setting; write settings after a recipe as KEY=VALUE, such as shapes,ews.search=off.");
            }
        }

        var equals = items[0].IndexOf('=', StringComparison.Ordinal);
        var (name, recipe) = equals > 0 && !File.Exists(items[0]) ? (items[0][..equals].Trim(), items[0][(equals + 1)..].Trim()) : (null, items[0].Trim());
        if (recipe.Length == 0)
        {
            throw new InputException($"'{text}' names no recipe: write NAME=RECIPE,KEY=VALUE,... such as plain=shapes,ews.search=off.");
        }

        return new(name ?? string.Join(' ', [Path.GetFileNameWithoutExtension(recipe), .. settings]), recipe, settings);
    }

    /// <summary>The ways of training that it chooses from: one for each combination of the values that have '|' between them, as in <c>training.epochs=40|80</c>; itself where none has.</summary>
    public IReadOnlyList<Arm> Variants()
    {
        IEnumerable<IReadOnlyList<string>> combinations = [[]];
        foreach (var setting in Settings)
        {
            var key = setting.Split('=', 2)[0];
            var values = setting.Contains(Or, StringComparison.Ordinal) ? setting[(key.Length + 1)..].Split(Or).Select(value => $"{key}={value.Trim()}") : [setting];
            combinations = [.. from before in combinations from value in values select (IReadOnlyList<string>)[.. before, value]];
        }

        var all = combinations.ToList();
        return all.Count == 1 ? [this] : [.. all.Select(settings => new Arm($"{Name} {string.Join(' ', settings.Except(Settings))}", Recipe, settings))];
    }

    /// <summary>A name as part of a path.</summary>
    public static string FolderFor(string name) => NotForPaths().Replace(name, "-").Trim('-', '.');

    /// <summary>Its recipe with one of the seeds.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="common">What all arms change of their recipes; the arm's own settings win.</param>
    /// <exception cref="InputException">There is no such recipe, or a setting is wrong.</exception>
    internal Recipe Load(long seed, IReadOnlyList<string> common)
    {
        if (common.Concat(Settings).FirstOrDefault(setting => setting.Split('=')[0].Trim() == SeedKey) is { } fixedSeed)
        {
            throw new InputException($"'{fixedSeed}' would give all runs of {Name} one seed: leave it out, since the number of seeds says which there are.");
        }

        return RecipeFile.Load(Recipe, [.. common, .. Settings, FormattableString.Invariant($"{SeedKey}={seed}")]);
    }

    /// <summary>Where one of its runs is.</summary>
    internal string RunFolder(string output, long seed) => Path.Combine(output, FormattableString.Invariant($"{Folder}-{seed}"));

    [GeneratedRegex(@"[^\p{L}\p{N}._=+-]+")]
    private static partial Regex NotForPaths();
}
