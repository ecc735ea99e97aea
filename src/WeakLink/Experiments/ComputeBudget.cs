using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Comparisons;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Interop;
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

    // Steps that allocate, choose algorithms and fill queues; then as many as give a cost to a few percent: a multiple of 2, 3, 4, 5, 6 and 10, for what is done in every so manieth step.
    private const int WarmUp = 4, Steps = 60;

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
        var costs = File.Exists(path) ? Read(path, NameOf(unit)) : [];
        costs[NameOf(unit)] = 1;
        List<Recipe> missing = [.. parts.Values.SelectMany(of => of).Select(part => part.Epoch).Where(epoch => !costs.ContainsKey(NameOf(epoch))).DistinctBy(NameOf)];
        if (missing.Count > 0)
        {
            var seconds = Measure([unit, .. missing], observer, stop);
            foreach (var (epoch, took) in missing.Zip(seconds.Skip(1)))
            {
                costs[NameOf(epoch)] = took / seconds[0];
            }
        }

        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Json.Sealed(new Kept(NameOf(unit), costs)))));
        var all = parts.ToDictionary(arm => arm.Key, arm => arm.Value.Sum(part => part.Length * costs[NameOf(part.Epoch)]));
        foreach (var (name, cost) in all.Where(arm => arm.Key != reference))
        {
            observer.Note(FormattableString.Invariant($"{name}: an epoch takes {cost / all[reference]:0.00} times the compute of one of {reference}"));
        }

        return all.ToDictionary(arm => arm.Key, arm => arm.Value / all[reference]);
    }

    /// <summary>What epochs cost, in the baseline's, by their names (<see cref="NameOf"/>).</summary>
    /// <param name="path">A comparison's budget.json.</param>
    /// <param name="baseline">The name of the baseline's epoch; nothing is kept for another one.</param>
    /// <exception cref="InputException">It is damaged.</exception>
    internal static Dictionary<string, double> Read(string path, string baseline)
    {
        try
        {
            var kept = Json.ReadSealed<Kept>(path, since: "baseline");
            return kept.Baseline == baseline ? kept.Costs.ToDictionary() : [];
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{path}' is not what a comparison keeps of its arms' costs: {Json.Problem(exception)}. Delete it, and they are measured again.", exception);
        }
    }

    /// <summary>The name of an epoch: that of every recipe whose epochs cost the same, whatever its arm is called.</summary>
    internal static string NameOf(Recipe recipe) => ShortHash.Of(RecipeDifferences.WithoutSeed(recipe with { Training = recipe.Training with { Epochs = 1 } }));

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

    // Seconds an epoch, of each recipe: a step of each after the other. A machine's speed changes by a third from one second to the next.
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

        observer.Begin("measuring what a step costs", (long)(WarmUp + Steps) * recipes.Count, "steps");
        var (done, seconds) = (0L, new double[recipes.Count]);
        Turns.Take(recipes.Count, (which, pass) =>
        {
            var (recipe, data) = resolved[which];
            using var asked = new LibtorchThreads(recipe.Training.Threads > 0 ? recipe.Training.Threads : threads);
            var folder = Directory.CreateTempSubdirectory("weaklink-budget-");
            try
            {
                using var run = RunFolder.Open(Path.Combine(folder.FullName, "run"), recipe, data.Train.Classes, new ImageSize(data.Train.Height, data.Train.Width), environment, resume: false);
                using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
                var clock = new StepClock(enough, onProcessor: device.type == DeviceType.CPU, () =>
                {
                    observer.Advance(++done);
                    pass();
                });
                try
                {
                    TrainingRun.Train(Endless(recipe), data, run, device, clock, stop: enough.Token);
                }
                catch (OperationCanceledException) when (clock.Enough && !stop.IsCancellationRequested)
                {
                    // That was enough.
                }

                seconds[which] = clock.Seconds / Steps * Loaders.Training(recipe, data).StepsPerEpoch;
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return seconds;
    }

    // Nothing between the steps but the next one.
    private static Recipe Endless(Recipe recipe) => recipe with
    {
        Training = recipe.Training with { Epochs = WarmUp + Steps + 1, ValidateEvery = Never, CheckpointEvery = Never, KeepEvery = 0 },
    };

    private sealed record Kept(string Baseline, [property: Limits(1e-6, 1e6)] IReadOnlyDictionary<string, double> Costs);

    // Told of every step: takes the time of those after the first few, lets the others have theirs between two of them, and stops the training in the end.
    private sealed class StepClock(CancellationTokenSource enough, bool onProcessor, Action between) : IRunObserver
    {
        private int _told;
        private double _last;

        /// <summary>What the counted steps cost together.</summary>
        public double Seconds { get; private set; }

        public bool Enough => _told == WarmUp + Steps;

        public void Begin(string name, long total, string unit, long done = 0) => _last = Now();

        public void Advance(long done, string detail = "")
        {
            if (++_told > WarmUp)
            {
                Seconds += Now() - _last;
            }

            if (Enough)
            {
                enough.Cancel();
            }

            between();
            _last = Now();
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence)
        {
        }

        private double Now() => onProcessor ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
    }
}
