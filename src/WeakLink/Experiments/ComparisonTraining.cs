using System.Diagnostics;
using System.Text;
using WeakLink.Comparisons;
using WeakLink.Evaluation;
using WeakLink.Files;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Experiments;

/// <summary>
/// Trains every arm with the same seeds. Every run is a run folder like any other, OUT/ARM-SEED; what is there already is kept, what was
/// interrupted goes on. Several processes may work on one folder: each passes over what another trains.
/// </summary>
public static class ComparisonTraining
{
    // In bytes: disks take 255, and a seed and the ending of a lock come to it.
    private const int LongestFolder = 220;

    /// <summary>Trains what is missing.</summary>
    /// <param name="arms">The ways of training.</param>
    /// <param name="common">What all change of their recipes, each <c>key=value</c>.</param>
    /// <param name="seeds">The seeds of each arm.</param>
    /// <param name="output">Where the run folders are.</param>
    /// <param name="observer">Told of everything.</param>
    /// <param name="stop">Saves a checkpoint, then stops.</param>
    /// <returns>Folders of runs that are not finished, because other processes train them.</returns>
    /// <exception cref="InputException">Anything that the user has to change; what can be checked is checked before anything is trained.</exception>
    public static IReadOnlyList<string> Train(
        IReadOnlyList<Arm> arms, IReadOnlyList<string> common, IReadOnlyList<long> seeds, string output, IRunObserver observer, CancellationToken stop = default)
    {
        // Seed by seed: a comparison that is cut short compares all arms.
        var runs = (from seed in seeds from arm in arms select (Arm: arm, Seed: seed, Folder: arm.RunFolder(output, seed), Recipe: arm.Load(seed, common))).ToList();
        CheckNames(arms);
        foreach (var (arm, _, folder, recipe) in runs)
        {
            Check(arm, folder, recipe);
        }

        if (runs.All(run => RunFolder.IsFinished(run.Folder)))
        {
            return [];
        }

        var took = new Dictionary<string, double>();
        for (var i = 0; i < runs.Count; i++)
        {
            var (arm, seed, folder, recipe) = runs[i];
            stop.ThrowIfCancellationRequested();
            if (RunFolder.IsFinished(folder))
            {
                continue;
            }

            using var mine = LockFile.Take(LockOf(folder));
            // Between the question and the lock another process may have finished it.
            if (mine is null || RunFolder.IsFinished(folder))
            {
                continue;
            }

            var left = runs.Skip(i).Where(run => !RunFolder.IsFinished(run.Folder)).ToList();
            var others = left.Skip(1).Where(run => File.Exists(LockOf(run.Folder))).ToList();
            observer.Note(FormattableString.Invariant($"Run {i + 1} of {runs.Count}: {arm.Name}, seed {seed}{Left([.. left.Except(others).Select(run => run.Arm.Name)], took, others.Count)}"));
            try
            {
                var (begun, resumed) = (Stopwatch.GetTimestamp(), RunFolder.IsRun(folder));
                var like = InOneFormat(recipe, runs.Select(run => run.Folder).Where(RunFolder.IsRun).Select(RunFolder.RecipeOf));
                // What is compared is measured on the same images, however long each arm trains.
                Experiment.Run(like with { Evaluation = like.Evaluation with { Budget = 0 } }, folder, resumed, observer, stop: stop);
                if (!resumed)
                {
                    took[arm.Name] = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                }
            }
            catch (InputException exception)
            {
                throw new InputException(FormattableString.Invariant($"{arm.Name}, seed {seed}: {exception.Message}"), exception);
            }
        }

        return [.. runs.Select(run => run.Folder).Where(folder => !RunFolder.IsFinished(folder))];
    }

    /// <summary>The runs of the arms, all of them finished.</summary>
    /// <param name="arms">The ways of training.</param>
    /// <param name="seeds">The seeds of each arm.</param>
    /// <param name="output">Where the run folders are.</param>
    /// <exception cref="InputException">A run is not finished.</exception>
    public static IReadOnlyList<ComparedArm> Read(IReadOnlyList<Arm> arms, IReadOnlyList<long> seeds, string output) =>
        [.. arms.Select(arm => new ComparedArm(arm.Name, [.. seeds.Select(seed => ComparedRun.Read(arm.RunFolder(output, seed)))]))];

    // As the last run of the same arm took; of an arm that none is finished of, as those of the others did.
    private static string Left(IReadOnlyList<string> arms, IReadOnlyDictionary<string, double> took, int others)
    {
        var share = others > 0 ? FormattableString.Invariant($", shared with {others} other process{(others == 1 ? "" : "es")}") : "";
        return arms.Count == 1 ? "" : took.Count == 0 ? FormattableString.Invariant($"; {arms.Count} runs are to be trained and measured{share}, and after this one is told how long that takes")
            : $"; all that is left takes about {MeasuringEstimate.Time(arms.Sum(arm => took.TryGetValue(arm, out var seconds) ? seconds : took.Values.Average()) / (1 + others))}{share}";
    }

    private static string LockOf(string folder) => folder + ".lock";

    internal static void CheckNames(IReadOnlyList<Arm> arms)
    {
        foreach (var arm in arms)
        {
            if (arm.Folder.Length == 0)
            {
                throw new InputException($"'{arm.Name}' can't be the name of an arm: use letters and digits.");
            }

            if (Encoding.UTF8.GetByteCount(arm.Folder) > LongestFolder)
            {
                throw new InputException($"'{arm.Name}' is too long a name for the folders of its runs: give it a shorter one, as in NAME={arm.Recipe}.");
            }

            if (arms.FirstOrDefault(other => !ReferenceEquals(other, arm) && string.Equals(other.Folder, arm.Folder, StringComparison.OrdinalIgnoreCase)) is { } same)
            {
                throw new InputException($"Two arms would be called '{same.Folder}': give each a name, as in NAME={arm.Recipe}.");
            }
        }
    }

    private static void Check(Arm arm, string folder, Recipe recipe)
    {
        if (!RunFolder.IsRun(folder))
        {
            if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            {
                throw new InputException($"'{folder}' is in the way: {arm.Name} would be trained there, and it is not a run; move it, or choose another folder.");
            }

            return;
        }

        if (RecipeDifferences.Contradiction(recipe, RunFolder.RecipeOf(folder)) is var (key, asked, there))
        {
            throw new InputException($"The run in '{folder}' has {key} {RecipeDifferences.Quoted(there)}, but {arm.Name} asks for {RecipeDifferences.Quoted(asked)}: choose another folder, give the arm another name, or leave the setting out.");
        }
    }

    // A number format that a timing decides could be another one for each run, and the difference would count as that of the arms.
    internal static Recipe InOneFormat(Recipe recipe, IEnumerable<Recipe> resolved)
    {
        var training = recipe.Training;
        if (training is { Precision: not Precision.Auto, Layout: not Layout.Auto })
        {
            return recipe;
        }

        // Adversarial objectives choose among others (see RecipeResolution).
        var decided = resolved.FirstOrDefault(other => other.Objective.Kind.IsAdversarial() == recipe.Objective.Kind.IsAdversarial())?.Training;
        return decided is null ? recipe : recipe with
        {
            Training = training with
            {
                Precision = training.Precision == Precision.Auto ? decided.Precision : training.Precision,
                Layout = training.Layout == Layout.Auto ? decided.Layout : training.Layout,
            },
        };
    }
}
