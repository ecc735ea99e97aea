using WeakLink.Recipes;

namespace WeakLink.Comparisons;

/// <summary>One way of training, with its runs.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Runs">A run for each seed, by seed.</param>
public sealed record ComparedArm(string Name, IReadOnlyList<ComparedRun> Runs)
{
    /// <summary>The seeds.</summary>
    public IReadOnlyList<long> Seeds => [.. Runs.Select(run => run.Seed)];

    /// <summary>A metric by seed; runs that were not measured by it are left out.</summary>
    public IReadOnlyDictionary<long, double> Values(Metric metric) =>
        Runs.Where(run => metric.Value(run.Summary) is not null).ToDictionary(run => run.Seed, run => metric.Value(run.Summary)!.Value);

    /// <summary>A metric's mean and spread over the seeds; null where no run was measured by it.</summary>
    public Spread? Spread(Metric metric) => Comparisons.Spread.Of([.. Values(metric).Values]);

    /// <summary>Puts run folders together that are of one recipe and differ by the seed.</summary>
    /// <param name="runs">The runs.</param>
    /// <exception cref="InputException">A folder holds no finished run; a name covers several recipes, or a recipe has two runs of one seed.</exception>
    public static IReadOnlyList<ComparedArm> Group(IEnumerable<NamedRun> runs)
    {
        var named = runs.ToList();
        if (named.GroupBy(run => Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Folder))).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new InputException($"'{twice.First().Folder}' is named twice, and a run can't be compared with itself: leave it out once.");
        }

        var read = named.Select(run => (run.Name, Run: ComparedRun.Read(run.Folder))).Select(one => (one.Name, one.Run, Recipe: RecipeDifferences.WithoutSeed(one.Run.Recipe))).ToList();
        foreach (var group in read.Where(one => one.Name is not null).GroupBy(one => one.Name))
        {
            var first = group.First();
            if (group.FirstOrDefault(one => one.Recipe != first.Recipe) is { Run: { } other })
            {
                var (key, values) = RecipeDifferences.Between([first.Run.Recipe, other.Recipe])[0];
                throw new InputException($"'{first.Run.Folder}' and '{other.Folder}' are both called {group.Key}, but differ in {key} ({values[0]} and {values[1]}): give them different names.");
            }
        }

        var groups = read.GroupBy(one => (one.Name, one.Recipe)).Select(group => (group.Key.Name, Runs: group.Select(one => one.Run).OrderBy(run => run.Seed).ToList())).ToList();
        foreach (var group in groups.Select(group => group.Runs))
        {
            if (group.Zip(group.Skip(1)).FirstOrDefault(pair => pair.First.Seed == pair.Second.Seed) is { First: { } one, Second: { } same })
            {
                throw new InputException($"'{one.Folder}' and '{same.Folder}' are runs of one recipe with one seed, {one.Seed}: leave one out, or name them apart, as in first={one.Folder} second={same.Folder}.");
            }
        }

        // Two folders called plain-0, in different places, are told apart by these.
        var names = groups.Select(group => group.Name ?? Called(group.Runs, withParent: false)).ToList();
        return [.. groups.Select((group, i) => new ComparedArm(names.Count(name => name == names[i]) == 1 || group.Name is not null ? names[i] : Called(group.Runs, withParent: true), group.Runs))];
    }

    // What the folders are called, without the seed at the end: plain for plain-0, plain-1 and plain-2.
    private static string Called(List<ComparedRun> runs, bool withParent)
    {
        var names = runs.Select(run =>
        {
            var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Folder));
            var name = Path.GetFileName(path);
            var seed = FormattableString.Invariant($"-{run.Seed}");
            var stem = name.EndsWith(seed, StringComparison.Ordinal) && name.Length > seed.Length ? name[..^seed.Length] : name;
            return withParent ? $"{Path.GetFileName(Path.GetDirectoryName(path))}/{stem}" : stem;
        }).Distinct().ToList();
        return names.Count == 1 ? names[0] : $"{names[0]} ...";
    }
}
