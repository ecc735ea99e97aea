using System.Diagnostics;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Perturbations;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>
/// Measures one network on one set of images: it holds what every measurement needs, and has a method for each kind of them. All is measured
/// in evaluation mode, on centre crops.
/// </summary>
/// <param name="network">N×3×H×W in [0, 1], float32, to logits N×classes; on <paramref name="device"/>.</param>
/// <param name="recipe">How images are cropped, what is measured (<see cref="EvaluationRecipe"/>), and the seed of all draws.</param>
/// <param name="images">What to measure on; of the network's classes.</param>
/// <param name="device">Where the network lives.</param>
/// <param name="observer">Told of the progress.</param>
/// <param name="stop">Stops between two batches, or two iterations of an attack.</param>
/// <exception cref="InputException">The recipe asks for the impossible.</exception>
public sealed class Evaluator(
    torch.nn.Module<torch.Tensor, torch.Tensor> network, Recipe recipe, Dataset images, torch.Device device, IRunObserver observer, CancellationToken stop = default)
{
    private Lazy<ComputeFormat?>? _format;

    /// <summary>The network.</summary>
    public torch.nn.Module<torch.Tensor, torch.Tensor> Network { get; } = network;

    /// <summary>How images are cropped, what is measured, and the seed.</summary>
    public Recipe Recipe { get; } = RecipeCheck.Check(recipe);

    /// <summary>What is measured on.</summary>
    public Dataset Images { get; } = images;

    /// <summary>What the network sees of an image.</summary>
    /// <exception cref="InputException">The recipe's crop is larger than the images.</exception>
    public CentreCrop Crop => Loaders.MeasuringCrop(Recipe, Images);

    /// <summary>Where the network lives.</summary>
    public torch.Device Device { get; } = device;

    /// <summary>Told of the progress.</summary>
    public IRunObserver Observer { get; } = observer;

    /// <summary>Those that measure together: each measures a part, and all have the whole result. This one alone by default.</summary>
    public ProcessGroup Processes { get; init; } = ProcessGroup.Alone;

    // Whether batch norms have their statistics from the test images.
    private bool Adapts { get; init; }

    // Chosen once for this evaluator and those that are made of it.
    private Lazy<ComputeFormat?>? ItsFormat { get; init; }

    /// <summary>Stops.</summary>
    public CancellationToken Stop { get; } = stop;

    /// <summary>How the network is frozen for all but attacks; null: it is measured as it is. Of several processes the first one chooses, where all ask at the same time.</summary>
    internal ComputeFormat? Format => Formats.Value;

    private Lazy<ComputeFormat?> Formats => ItsFormat ?? (_format ??= new(() => Recipe.Evaluation.Exact ? null : Processes.From(Processes.Leads ? MeasuredNetwork.Format(Network, Crop.Height, Crop.Width, Device, FirstImages) : null)));

    /// <summary>What was measured before it was interrupted, and is kept; null keeps nothing.</summary>
    internal KeptResults? Kept { get; private init; }

    private string? Progress { get; init; }

    /// <summary>The same network, measured on at most so many of the images, every class in its share.</summary>
    /// <param name="count">How many; 0: all.</param>
    public Evaluator Limited(int count) => new(Network, Recipe, StratifiedSplit.Limit(Images, count, Recipe.Seed), Device, Observer, Stop) { Kept = Kept, Progress = Progress, ItsFormat = Formats, Processes = Processes };

    /// <summary>The same, but every result is kept in a folder as soon as it is there: measured again after an interruption, with the same folder, it goes on from there.</summary>
    /// <param name="progress">The folder; made where it is missing.</param>
    /// <exception cref="InputException">It can't be written to.</exception>
    public Evaluator Keeping(string progress) => new(Network, Recipe, Images, Device, Observer, Stop)
    {
        Processes = Processes,
        Kept = KeptIn(progress, Format),
        Progress = progress,
        ItsFormat = Formats,
    };

    /// <summary>The network as all but attacks measure it, in evaluation mode; to be disposed of.</summary>
    /// <param name="subnet">The subnet; null: the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    internal MeasuredNetwork Measured(Subnet? subnet = null, SubnetStatistics? statistics = null) =>
        MeasuredNetwork.Of(Network, Format, Crop.Height, Crop.Width, subnet, statistics);

    private IEnumerable<torch.Tensor> FirstImages()
    {
        foreach (var batch in Loaders.Measuring(Recipe, Images).InOrder())
        {
            using var scope = torch.NewDisposeScope();
            using (batch)
            {
                yield return Pixels.ToUnit(batch.Images.to(Device));
            }
        }
    }

    // The first one keeps what all have measured. Two formats round differently: what one measured is not gone on with in another.
    private KeptResults? KeptIn(string progress, ComputeFormat? format) => !Processes.Leads ? null
        : KeptResults.Open(progress, $"{RecipeFile.ToYaml(Recipe)}\n{Images.Name}, {Images.Count} images, {AttackState.ChecksumOf(this)}, {format?.ToString() ?? "exact"}{string.Concat(FoldersRead.Select(folder => $", {FolderStamp.Of(folder)}"))}");

    // Folders that measurements read beside the images.
    private IEnumerable<string> FoldersRead => new[] { Recipe.Evaluation.CorruptedImages, Recipe.Evaluation.PerturbedImages, Recipe.Evaluation.FrostTextures }.Where(folder => folder.Length > 0);

    /// <summary>A result, measured unless it is kept; of several processes the first one measures.</summary>
    internal T Once<T>(string name, Func<T> measure) => Processes.From(!Processes.Leads ? default! : Kept is null ? measure() : Kept.Get(name, measure));

    /// <summary>Results, each measured unless it is kept; several processes share them out.</summary>
    /// <param name="names">What each is called.</param>
    /// <param name="measure">Measures the one of this index, by itself: what it does no other process does at the same time.</param>
    /// <param name="done">Told of each as soon as it is there, in order; of those that are kept, too.</param>
    internal IReadOnlyList<T> Each<T>(IReadOnlyList<string> names, Func<int, T> measure, Action<int, T> done)
    {
        var results = new T[names.Count];
        var missing = Processes.From(Enumerable.Range(0, names.Count).Where(i => Kept is null || !Kept.TryFind(names[i], out results[i])).ToArray());
        results = Processes.From(results);
        var told = 0;
        TellBefore(missing.FirstOrDefault(names.Count));
        Processes.Share(missing, Timed, (i, its) =>
        {
            results[i] = its.Result;
            Kept?.Add(names[i], its.Result, its.Seconds);
            TellBefore(i + 1);
        });
        TellBefore(names.Count);
        return results;

        TimedResult<T> Timed(int i)
        {
            var clock = Stopwatch.GetTimestamp();
            var result = measure(i);
            return new TimedResult<T>(result, Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }

        void TellBefore(int end)
        {
            for (; told < end; told++)
            {
                done(told, results[told]);
            }
        }
    }

    /// <summary>How many results of this name's beginning are kept.</summary>
    internal int Before(string prefix) => Kept?.CountBefore(prefix) ?? 0;

    /// <summary>Accuracy and calibration on the images as they are.</summary>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public CleanMeasurement Clean()
    {
        using var measured = Measured();
        Observer.Begin("measuring", Images.Count, "images");
        return Classified(measured, Images, Kept, Observer, Processes).Measured;
    }

    /// <summary>Accuracy, clean and under the recipe's corruptions, with batch-norm statistics of the test images: a protocol of its own.</summary>
    /// <returns>Relative to no reference; null where the recipe asks for none.</returns>
    /// <exception cref="InputException">The network is a subnet, or has no batch norms.</exception>
    public TestTimeSummary? TestTime()
    {
        var settings = Recipe.Evaluation;
        if (settings.TestTimeBatch == 0)
        {
            return null;
        }

        // It keeps nothing under the names of the others, and begins each window anew: whole or not at all.
        var adapting = new Evaluator(Network, Recipe, Images, Device, Observer, Stop) { Adapts = true, ItsFormat = new((ComputeFormat?)null) };
        return Once("test-time statistics", () => new TestTimeSummary(settings.TestTimeBatch, settings.TestTimeWindow, settings.TestTimePrior, adapting.Clean().Summary, adapting.Corrupted()));
    }

    /// <summary>What the network makes of a set of images, and for how many seconds it waited for them.</summary>
    /// <param name="measured">The network, as <see cref="Measured"/> gave it.</param>
    /// <param name="images">The images.</param>
    /// <param name="kept">What was measured of them before; null: nothing.</param>
    /// <param name="observer">Told the number of images done.</param>
    /// <param name="processes">Those that measure these images together.</param>
    internal (CleanMeasurement Measured, double Waited) Classified(MeasuredNetwork measured, Dataset images, KeptResults? kept, IRunObserver observer, ProcessGroup processes)
    {
        if (!Adapts)
        {
            return Through(measured.Classify, Loaders.Measuring(Recipe, images), kept);
        }

        // Statistics that every batch brings can't be folded: it is measured as it is.
        var settings = Recipe.Evaluation;
        var network = Network is ClassifierNetwork whole and not SubnetNetwork ? whole
            : throw new InputException("Batch-norm statistics of test images are measured of whole networks alone: leave out the subnet, or set evaluation.test-time-batch to 0.");
        int[] order = [.. Enumerable.Range(0, images.Count)];
        // Folders have their images class by class, which is not how they come.
        new SeededRandom(Recipe.Seed, RandomUse.TestTime).Shuffle<int>(order);
        using var statistics = new TestTimeStatistics(settings.TestTimePrior, settings.TestTimeWindow);
        var adapted = Through(batch => network.Adapted(batch, statistics), Loaders.Measuring(Recipe with { Evaluation = settings with { Batch = settings.TestTimeBatch } }, new SubsetDataset(images, order)), null);
        return statistics.AreUsed ? adapted : throw new InputException($"The network {network.Name} has no batch norms whose statistics could be those of the test images: set evaluation.test-time-batch to 0.");

        (CleanMeasurement, double) Through(Func<torch.Tensor, torch.Tensor> classify, BatchLoader loader, KeptResults? before)
        {
            var its = CleanEvaluation.Measure(classify, loader, before, Device, observer, processes, Stop);
            return (its, loader.SecondsWaited);
        }
    }

    /// <summary>Errors under the recipe's corruptions, of images made on the fly or read from disk; relative to no reference.</summary>
    /// <returns>Null where the recipe asks for none.</returns>
    /// <exception cref="InputException">An unknown corruption, or unusable files.</exception>
    public CorruptionSummary? Corrupted() => Recipe.Evaluation.Corruptions == EvaluationRecipe.None ? null : CorruptionEvaluation.Measure(this);

    /// <summary>Stability under the recipe's perturbation sequences, made on the fly or read from disk; relative to no reference.</summary>
    /// <returns>Null where the recipe asks for none.</returns>
    /// <exception cref="InputException">An unknown perturbation, or unusable files.</exception>
    public PerturbationSummary? Perturbed() => Recipe.Evaluation.Perturbations == EvaluationRecipe.None ? null : PerturbationEvaluation.Measure(this);

    /// <summary>Accuracy under the recipe's attacks, each on at most as many images as it says.</summary>
    /// <returns>By attack, then by norm; null where the recipe asks for none.</returns>
    /// <exception cref="InputException">The state belongs to another evaluation, or the network has too few classes for an attack.</exception>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, RobustSummary>>? Attacked()
    {
        var limited = Limited(Recipe.Evaluation.AttackImages);
        var measured = NamedAttacks(Recipe).ToDictionary(named => named.Name, named => (IReadOnlyDictionary<string, RobustSummary>)new Dictionary<string, RobustSummary>
        {
            [named.Attacks[0].Threat.Norm.ToString().ToLowerInvariant()] = limited.Attacked(
                named.Name,
                named.Attacks,
                Progress is null ? null : Path.Combine(Progress, $"{named.Name}-{named.Attacks[0].Threat}.json".ToLowerInvariant().Replace(' ', '-').Replace('/', '-'))),
        });
        return measured.Count == 0 ? null : measured;
    }

    /// <summary>Accuracy under attacks: only images that are still classified correctly go on to the next one.</summary>
    /// <param name="name">What to call the attacks together.</param>
    /// <param name="attacks">The attacks, in order; at least one, of one threat model.</param>
    /// <param name="state">A file that keeps the progress; a call with the same file goes on from there. Null keeps none.</param>
    /// <param name="found">Given every adversarial example; the tensors are disposed of afterwards.</param>
    /// <exception cref="InputException">The state belongs to another evaluation, or the network has too few classes for an attack.</exception>
    public RobustSummary Attacked(string name, IReadOnlyList<Attack> attacks, string? state = null, Action<AdversarialExample>? found = null)
    {
        Network.eval();
        return AttackEvaluation.Measure(this, name, attacks, state, found);
    }

    /// <summary>Accuracy under attacks of growing size, of as many images as the recipe says, and what broke them.</summary>
    /// <returns>Null, and nothing, where the recipe asks for none.</returns>
    /// <exception cref="InputException">A logit is not finite.</exception>
    public (RobustnessCurve? Curve, IReadOnlyList<BrokenImage> Broken) UnderGrowingAttacks()
    {
        if (Recipe.Evaluation.CurveImages == 0)
        {
            return (null, []);
        }

        Network.eval();
        return RobustnessCurve.Measure(Limited(Recipe.Evaluation.CurveImages));
    }

    /// <summary>How weak the network's subnets are.</summary>
    /// <param name="training">Training images, for the search of weak subnets and for their statistics.</param>
    /// <returns>Null where the recipe asks for none.</returns>
    /// <exception cref="InvalidOperationException">The network is no <see cref="ClassifierNetwork"/>: it has no subnets.</exception>
    public SubnetMeasurement? Subnets(Dataset training) => Recipe.Evaluation.Subnets == 0 ? null
        : Network is ClassifierNetwork whole ? SubnetEvaluation.Measure(Limited(Recipe.Evaluation.SubnetImages), whole, training)
        : throw new InvalidOperationException("Only a ClassifierNetwork has subnets.");

    /// <summary>Refuses attacks that images or classes rule out, before hours go into what comes before them.</summary>
    /// <param name="recipe">What to measure.</param>
    /// <param name="images">Images to measure on.</param>
    /// <exception cref="InputException">There are too few classes for an attack, or ε is meant for images in 0 ... 255.</exception>
    public static void CheckAttacks(Recipe recipe, Dataset images)
    {
        foreach (var (_, attacks) in NamedAttacks(recipe))
        {
            CheckAttacks(attacks, recipe, images);
        }
    }

    /// <summary>The same of attacks that no recipe names.</summary>
    /// <inheritdoc cref="CheckAttacks(Recipe, Dataset)"/>
    public static void CheckAttacks(IReadOnlyList<Attack> attacks, Recipe recipe, Dataset images) =>
        AttackEvaluation.Check(attacks, Loaders.MeasuringCrop(recipe, images), images.Classes.Count);

    /// <summary>Refuses folders of frost textures and of perturbation sequences that can't be read, before hours go into what comes before them.</summary>
    /// <param name="recipe">What to measure.</param>
    /// <param name="images">Images to measure on.</param>
    /// <exception cref="InputException">One is missing, or lacks what is to be measured.</exception>
    public static void CheckFolders(Recipe recipe, Dataset images)
    {
        var settings = recipe.Evaluation;
        if (settings is { FrostTextures.Length: > 0, CorruptedImages.Length: 0 } && settings.Corruptions != EvaluationRecipe.None)
        {
            CommonCorruptions.Named(settings.Corruptions, settings.FrostTextures);
        }

        if (settings.PerturbedImages.Length > 0 && settings.Perturbations != EvaluationRecipe.None)
        {
            using var folder = new PerturbationFolder(settings.PerturbedImages, images.Classes);
            foreach (var perturbation in CommonPerturbations.Named(settings.Perturbations))
            {
                folder.Sequences(perturbation);
            }
        }
    }

    /// <summary>The attacks that a recipe names, each with its parts.</summary>
    internal static IEnumerable<(string Name, IReadOnlyList<Attack> Attacks)> NamedAttacks(Recipe recipe)
    {
        var settings = recipe.Evaluation;
        if (settings.Attack == EvaluationRecipe.None)
        {
            return [];
        }

        var threat = new ThreatModel(settings.AttackNorm, ThreatModel.ParseEpsilon(settings.AttackEps));
        return settings.Attack.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(name => (name, KnownAttacks.Named(name, threat)));
    }
}
