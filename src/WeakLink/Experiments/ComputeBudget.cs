using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Comparisons;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Interop;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Experiments;

/// <summary>
/// Equal compute for all arms: an arm whose epochs cost twice the baseline's trains half as many. What an epoch costs is measured,
/// in turns with the baseline, before anything is trained, and kept in the comparison's budget.json, so that the same command gives the same runs.
/// </summary>
public static class ComputeBudget
{
    private const string FileName = "budget.json";
    private const int Never = 1_000_000;
    private const string EpochsKey = "training.epochs";

    // Steps that allocate, choose algorithms and are compiled anew; then as many as give a cost to a few percent: a multiple of 2, 3, 4, 5, 6 and 10, for what is done in every so manieth step.
    private const int WarmUp = 20, Steps = 60;

    /// <summary>Gives every variant the epochs of its recipe, divided by how many times the baseline's compute one of its epochs takes.</summary>
    /// <param name="arms">The arms with their variants; their epochs are counted in the baseline's.</param>
    /// <param name="baseline">The name of the arm whose compute counts; of its variants the first.</param>
    /// <param name="common">What all change of their recipes, each <c>key=value</c>.</param>
    /// <param name="output">The comparison's folder.</param>
    /// <param name="observer">Told of what is measured.</param>
    /// <param name="stop">Stops between two steps.</param>
    /// <exception cref="InputException">Anything that the user has to change.</exception>
    public static IReadOnlyList<ArmVariants> Share(
        IReadOnlyList<ArmVariants> arms, string baseline, IReadOnlyList<string> common, string output, IRunObserver observer, CancellationToken stop = default)
    {
        var reference = arms.First(arm => arm.Name == baseline).Variants[0];
        ComparisonTraining.CheckNames([.. arms.SelectMany(arm => arm.Variants)]);
        var all = arms.SelectMany(arm => arm.Variants).ToDictionary(variant => variant.Name, variant => variant.Load(0, common));
        var costs = Costs(all, reference.Name, output, observer, stop);
        return [.. arms.Select(arm => arm with { Variants = [.. arm.Variants.Select(Shared)] })];

        Arm Shared(Arm variant)
        {
            var epochs = Math.Max(1, (int)Math.Round(all[variant.Name].Training.Epochs / costs[variant.Name]));
            return new Arm(variant.Name, variant.Recipe, [.. variant.Settings.Where(setting => setting.Split('=')[0].Trim() != EpochsKey), FormattableString.Invariant($"{EpochsKey}={epochs}")]) { Folder = variant.Folder };
        }
    }

    private static Dictionary<string, double> Costs(Dictionary<string, Recipe> recipes, string reference, string output, IRunObserver observer, CancellationToken stop)
    {
        Directory.CreateDirectory(output);
        var path = Path.Combine(output, FileName);
        using var mine = LockFile.Take(path + ".lock") ?? throw new InputException($"Another process measures what the arms cost, for '{path}': start this one again when it trains.");
        var parts = recipes.ToDictionary(pair => pair.Key, pair => Parts(pair.Value));
        // What most of the baseline's epochs are.
        var unit = parts[reference][^1].Epoch;
        var costs = File.Exists(path) ? Read(path) : [];
        costs[NameOf(unit, unit)] = 1;
        List<Recipe> missing = [.. parts.Values.SelectMany(of => of).Select(part => part.Epoch).Where(epoch => !costs.ContainsKey(NameOf(epoch, unit))).DistinctBy(epoch => NameOf(epoch, unit))];
        if (missing.Count > 0)
        {
            var seconds = Measure([unit, .. missing], observer, stop);
            foreach (var (epoch, took) in missing.Zip(seconds.Skip(1)))
            {
                costs[NameOf(epoch, unit)] = took / seconds[0];
            }
        }

        // With what other commands measured: theirs may be the ones that the runs here were trained by.
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Json.Sealed(new Kept(costs)))));
        var all = parts.ToDictionary(arm => arm.Key, arm => arm.Value.Sum(part => part.Length * costs[NameOf(part.Epoch, unit)]));
        foreach (var (name, cost) in all.Where(arm => arm.Key != reference))
        {
            observer.Note(FormattableString.Invariant($"{name}: an epoch takes {cost / all[reference]:0.00} times the compute of one of {reference}"));
        }

        return all.ToDictionary(arm => arm.Key, arm => arm.Value / all[reference]);
    }

    /// <summary>What epochs cost, by what they are.</summary>
    /// <param name="path">A comparison's budget.json.</param>
    /// <exception cref="InputException">It is damaged.</exception>
    internal static Dictionary<string, double> Read(string path)
    {
        try
        {
            return Json.ReadSealed<Kept>(path, since: "costs").Costs.ToDictionary();
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{path}' is not what a comparison keeps of its arms' costs: {Json.Problem(exception)}. Delete it, and they are measured again.", exception);
        }
    }

    /// <summary>The name of a cost: that of every recipe whose epochs cost the same in the same unit, whatever its arm is called and however it is measured in the end.</summary>
    /// <param name="recipe">Whose epoch.</param>
    /// <param name="unit">Whose epoch costs 1.</param>
    internal static string NameOf(Recipe recipe, Recipe unit) => $"{EpochOf(recipe)} in {EpochOf(unit)}";

    private static string EpochOf(Recipe recipe) => ShortHash.Of(RecipeDifferences.WithoutSeed(recipe with { Training = recipe.Training with { Epochs = 1 }, Evaluation = new EvaluationRecipe() }));

    /// <summary>Of which kinds the epochs of a recipe are, in their order, and which part of all each kind is.</summary>
    internal static IReadOnlyList<(double Length, Recipe Epoch)> Parts(Recipe recipe)
    {
        var warm = recipe.Training.ClassifierWarmup;
        var (taught, perturbed) = (recipe.Ews.Search == SearchKind.Off ? 0 : recipe.Ews.Start, recipe.Objective.WeightPerturbation == 0 ? 0 : recipe.Objective.WeightPerturbationWarmup);
        double[] bounds = [.. new[] { 0, warm, taught, perturbed, 1 }.Distinct().Order()];
        // A subnet's own view is prepared from the start on: one is taught in the first step, which is not counted.
        var untaught = recipe.Ews.View.IsLoaded() ? recipe.Ews with { Start = 0, Warmup = 0, Every = Never } : recipe.Ews with { Start = 0, Search = SearchKind.Off };
        return [.. bounds.Zip(bounds.Skip(1), (begin, end) => (end - begin, recipe with
        {
            Training = recipe.Training with { ClassifierWarmup = 0, Freeze = begin < warm ? TrainingRecipe.Backbone : recipe.Training.Freeze },
            Ews = begin < taught ? untaught : recipe.Ews with { Start = 0 },
            Objective = recipe.Objective with { WeightPerturbationWarmup = 0, WeightPerturbation = begin < perturbed ? 0 : recipe.Objective.WeightPerturbation },
        }))];
    }

    // Seconds an epoch, of each recipe. On a processor, whose speed changes by a third from one second to the next, a step of each after the other, with all that it took: images are prepared
    // within the step, or they would be in another's turn. On a GPU, where images are prepared while it computes, one recipe after the other, as they are trained.
    private static double[] Measure(IReadOnlyList<Recipe> recipes, IRunObserver observer, CancellationToken stop)
    {
        var environment = EnvironmentReport.Create();
        var device = EnvironmentReport.TrainingDevice;
        var threads = torch.get_num_threads();
        var opened = new Dictionary<string, DataSplits>();
        var resolved = new List<(Recipe Recipe, DataSplits Data)>();
        foreach (var recipe in recipes)
        {
            using var asked = new LibtorchThreads(recipe.Training.Threads);
            var text = string.Join('\n', RecipeKeys.ValuesOf(recipe).Where(key => key.Name.StartsWith("data.", StringComparison.Ordinal)));
            if (!opened.TryGetValue(text, out var data))
            {
                opened[text] = data = DataSources.Open(recipe.Data, recipe.Seed, new SilentObserver(), stop);
            }

            var like = ComparisonTraining.InOneFormat(PretrainedWeights.Resolve(recipe), resolved.Select(one => one.Recipe));
            resolved.Add((RecipeResolution.Resolve(like, data, environment, device, observer), data));
        }

        var onProcessor = device.type == DeviceType.CPU;
        var warmUps = resolved.Select(one => WarmUp + (onProcessor ? 0 : Loaders.Workers(one.Recipe) + 1)).ToList();
        foreach (var ((recipe, data), warmUp) in resolved.Zip(warmUps))
        {
            ReadImages(recipe, data, warmUp + Steps, stop);
        }

        observer.Begin("measuring what a step costs", warmUps.Sum(warmUp => (long)warmUp + Steps), "steps");
        var (done, seconds) = (0L, new double[recipes.Count]);
        var trials = resolved.Select(one => Trial(one.Recipe, one.Data, device, environment, onProcessor ? 0 : Loaders.Workers(one.Recipe)).GetEnumerator()).ToList();
        try
        {
            foreach (var (which, step) in onProcessor
                ? from step in Enumerable.Range(0, WarmUp + Steps) from which in Enumerable.Range(0, trials.Count) select (which, step)
                : from which in Enumerable.Range(0, trials.Count) from step in Enumerable.Range(0, warmUps[which] + Steps) select (which, step))
            {
                stop.ThrowIfCancellationRequested();
                using var asked = new LibtorchThreads(resolved[which].Recipe.Training.Threads > 0 ? resolved[which].Recipe.Training.Threads : threads);
                var before = Now();
                _ = trials[which].MoveNext();
                seconds[which] += step < warmUps[which] ? 0 : Now() - before;
                observer.Advance(++done);
            }
        }
        finally
        {
            trials.ForEach(trial => trial.Dispose());
        }

        return [.. seconds.Zip(resolved, (all, one) => all / Steps * Loaders.Training(one.Recipe, one.Data).StepsPerEpoch)];

        double Now() => onProcessor ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
    }

    // A training that nobody keeps, step by step, for as long as it is asked for.
    private static IEnumerable<RunPosition> Trial(Recipe recipe, DataSplits data, torch.Device device, EnvironmentReport environment, int workers)
    {
        // More epochs than steps are asked for, and nothing between these but the next one.
        var endless = recipe with { Training = recipe.Training with { Epochs = WarmUp + Steps + Loaders.Workers(recipe) + 2, ValidateEvery = Never, CheckpointEvery = Never, KeepEvery = 0 } };
        var folder = Directory.CreateTempSubdirectory("weaklink-budget-");
        try
        {
            using var run = RunFolder.Open(Path.Combine(folder.FullName, "run"), endless, data.Train.Classes, new ImageSize(data.Train.Height, data.Train.Width), environment, resume: false);
            foreach (var position in TrainingRun.Steps(endless, data, Loaders.Training(recipe, data, workers), run, device, new SilentObserver(), ProcessGroup.Alone, CancellationToken.None))
            {
                yield return position;
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Those of so many steps. Files are decoded when they are first asked for, which is once in a training: whoever is measured first would pay for all.
    private static void ReadImages(Recipe recipe, DataSplits data, int steps, CancellationToken stop)
    {
        var plain = recipe with { Augmentation = recipe.Augmentation with { Sequence = [AugmentationSequence.Crop], Crop = 0, Padding = 0 }, Ews = recipe.Ews with { Search = SearchKind.Off }, Objective = new ObjectiveRecipe() };
        var batches = Loaders.Training(plain, data);
        for (var (epoch, left) = (0, steps); left > 0; left -= batches.StepsPerEpoch, epoch++)
        {
            foreach (var batch in batches.Training(recipe.Seed, epoch).Take(left))
            {
                batch.Dispose();
                stop.ThrowIfCancellationRequested();
            }
        }
    }

    private sealed record Kept([property: Limits(1e-6, 1e6)] IReadOnlyDictionary<string, double> Costs);
}
