using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Experiments;

/// <summary>The main job: from a recipe to a run folder with a trained, measured network.</summary>
public static class Experiment
{
    // Below this a network has hardly moved; someone with few images will not think of it.
    private const int FewSteps = 500;

    // The one that takes whatever images there are, and the one for so few of them.
    private const string GeneralRecipe = "small", FewImagesRecipe = "few-images";

    /// <summary>Trains and measures. Meanwhile libtorch has the recipe's number of threads in the whole process.</summary>
    /// <param name="recipe">The recipe; a resumed run takes its own from the folder.</param>
    /// <param name="path">The run folder.</param>
    /// <param name="resume">Whether to continue the run that is there.</param>
    /// <param name="observer">Told of everything.</param>
    /// <param name="processes">Those that do it together, each with an observer of its own; the first one writes. Null: this one alone.</param>
    /// <param name="stop">Saves a checkpoint, then stops.</param>
    /// <returns>What was measured; also in summary.json.</returns>
    /// <exception cref="InputException">Anything that the user has to change.</exception>
    public static Summary Run(Recipe recipe, string path, bool resume, IRunObserver observer, ProcessGroup? processes = null, CancellationToken stop = default)
    {
        processes ??= ProcessGroup.Alone;
        if (processes.Leads)
        {
            RunFolder.CheckFree(path, resume);
        }

        var environment = EnvironmentReport.Create();
        var device = EnvironmentReport.TrainingDevice;
        recipe = resume ? RunFolder.RecipeOf(path) : recipe;
        RecipeCheck.Check(recipe);
        using var threads = new LibtorchThreads(Threads(recipe, processes));
        if (resume && PretrainedWeights.Changed(recipe.Model) is { } changed)
        {
            observer.Note(changed);
        }

        recipe = resume ? recipe : processes.LeaderFirst(() => PretrainedWeights.Resolve(recipe));
        FrozenParts.Check(recipe);
        var data = processes.LeaderFirst(() => DataSources.Open(recipe.Data, recipe.Seed, observer, stop));
        Describe(recipe, data, observer);
        CheckBatch(recipe, data, processes);
        var images = data.Known(observer, stop);
        var overlaps = images.Overlaps();
        foreach (var overlap in overlaps)
        {
            observer.Note(overlap);
        }

        // One that the recipe brings was compared when the data were opened.
        recipe = recipe.Data.Fingerprint.Length > 0 ? recipe : recipe with { Data = recipe.Data with { Fingerprint = images.Fingerprint() } };
        recipe = Resolved(recipe, () => RecipeResolution.Resolve(recipe, data, environment, device, observer), processes);
        var test = StratifiedSplit.Limit(data.Test, recipe.Evaluation.Images, recipe.Seed);
        var measured = test == data.Test ? images.Test : KnownImages.Of(test, observer, stop);
        Evaluator.CheckAttacks(recipe, test);
        Evaluator.CheckFolders(recipe, test);
        CheckObjective(recipe, data.Train);
        string[] warnings = [.. overlaps, .. CorruptionEvaluation.Check(recipe, test, measured, images, observer)];

        using var folder = RunFolder.Open(path, recipe, data.Train.Classes, new ImageSize(data.Train.Height, data.Train.Width), environment, resume, processes);
        if (processes.Leads)
        {
            RunImages.Keep(folder.Path, images);
        }

        var format = new ComputeFormat(recipe.Training.Precision, recipe.Training.Layout);
        var steps = (long)recipe.Training.Epochs * Loaders.Training(recipe, data).StepsPerEpoch;
        observer.Note($"{recipe.Model.Name}, {Count(recipe.Training.Epochs, "epoch")} of {data.Train.Count:n0} images{Extra(data.Extra)}, {Search(recipe)}, {format}, {(processes.Size > 1 ? $"{processes.Size} processes, in the first of them " : "")}{Count(torch.get_num_threads(), "thread")}; run folder {path}");
        if (steps < FewSteps)
        {
            observer.Note($"The whole training is only {Count((int)steps, "step")}: a larger training.epochs (or a smaller training.batch) will do better{(recipe.Name == GeneralRecipe ? $"; the recipe {FewImagesRecipe} is made for few images" : "")}.");
        }

        if (recipe.Objective.Kind.IsAdversarial())
        {
            DescribeAttack(recipe, data.Validation, observer);
        }

        MeasuringEstimate? estimate = null;
        if (processes.Leads)
        {
            using var untrained = recipe.CreateNetwork(data.Train.Classes.Count);
            untrained.to(device);
            estimate = MeasuringEstimate.For(new Evaluator(untrained, recipe, test, device, observer, stop), data.Train, examples: true);
            observer.Note(estimate + (recipe.Evaluation.Budget > 0
                ? FormattableString.Invariant($" Where that is more than {recipe.Evaluation.Budget:0.##} of the time that training takes, less is measured of what nobody set (evaluation.budget).") : ""));
        }

        var position = TrainingRun.Train(recipe, data, folder, device, observer, processes, stop);
        // The others read what the first one saved.
        processes.Barrier();

        var clock = Stopwatch.GetTimestamp();
        using var best = TrainedModel.Load(folder.BestCheckpoint, device);
        RunFolder.RequireRecipe(path, folder.BestCheckpoint, best.Recipe);
        if (best.Position.Epoch != position.BestEpoch)
        {
            throw new InputException($"'{folder.BestCheckpoint}' is of epoch {best.Position.Epoch}, but the run was best after epoch {position.BestEpoch}: put back the file that was changed, or train again.");
        }

        var (sizes, cut) = estimate is not null
            ? Sizes(new Evaluator(best.Network, recipe, test, device, observer, stop).Keeping(folder.MeasuringProgress), estimate, position.Seconds, observer)
            : (MeasuredSizes.Of(recipe.Evaluation), false);
        sizes = processes.From(sizes);
        var measuring = recipe with { Evaluation = sizes.In(recipe.Evaluation) };
        var evaluator = new Evaluator(best.Network, measuring, test, device, observer, stop) { Processes = processes }.Keeping(folder.MeasuringProgress);
        var measurement = Measurement.Of(best, evaluator, data.Train, examples: true);
        if (processes.Leads && measurement.WeakestSubnet is { } weakest)
        {
            SubnetFile.Write(Path.Combine(folder.Path, SubnetFile.WeakestName), best.Network.Name, best.Network.Space, weakest);
        }

        using var last = TrainedModel.Load(folder.LastCheckpoint, device);
        var lastClean = position.BestEpoch == position.Epoch
            ? measurement.Summary.Clean
            : evaluator.Once("last", () => new Evaluator(last.Network, recipe, test, device, observer, stop).Clean().Summary);
        if (!processes.Leads)
        {
            return measurement.Summary;
        }

        var summary = folder.WriteResults(
            measurement with
            {
                Summary = measurement.Summary with
                {
                    Fingerprint = measured.Fingerprint(),
                    DataFingerprint = images.WholeFingerprint(),
                    Warnings = warnings,
                    Epochs = position.Epoch,
                    Last = lastClean,
                    Sizes = cut ? sizes : null,
                    // A run that an older version trained to its end chose by however few.
                    Validation = new ValidationSummary(position.BestTop1, position.BestEpoch, TrainingRun.Chooses(data.Validation) || position.BestEpoch < position.Epoch),
                    Seconds = new SecondsSummary(position.Seconds, evaluator.Kept!.SecondsBefore + Stopwatch.GetElapsedTime(clock).TotalSeconds, position.ProcessorSeconds),
                },
            },
            test);
        RunReport.CreatePage(folder.Path, summary).Write(folder.Report);
        return summary;
    }

    // Kept as they were chosen first: measuring that was interrupted goes on with them.
    private static (MeasuredSizes Sizes, bool Cut) Sizes(Evaluator evaluator, MeasuringEstimate estimate, double trained, IRunObserver observer)
    {
        var settings = evaluator.Recipe.Evaluation;
        if (settings.Budget == 0)
        {
            return (MeasuredSizes.Of(settings), false);
        }

        var sizes = evaluator.Once("sizes", () => MeasuringBudget.Fit(estimate, settings, trained));
        var told = MeasuringBudget.Told(estimate, settings, sizes, trained);
        if (told is not null)
        {
            observer.Note(told);
        }

        return (sizes, told is not null);
    }

    // The attack inside of a step would not notice, and the first validation would, after an epoch.
    private static void CheckObjective(Recipe recipe, Dataset images)
    {
        if (!recipe.Attacks())
        {
            return;
        }

        try
        {
            var crop = Loaders.MeasuringCrop(recipe, images);
            recipe.Objective.Threat().RequireLimit(crop.Bytes);
        }
        catch (InputException exception)
        {
            throw new InputException($"objective.eps: {exception.Message}", exception);
        }
    }

    // What one process resolves: a timing chooses the number format, and ten would choose some of each.
    private static Recipe Resolved(Recipe recipe, Func<Recipe> resolve, ProcessGroup processes)
    {
        var resolved = processes.Leads ? resolve() : recipe;
        if (processes.Size == 1)
        {
            return resolved;
        }

        resolved = RecipeFile.Parse(processes.From(RecipeFile.ToYaml(resolved)), "the recipe of the first process");
        // As many as a process may use is for the next one that resumes the run to say.
        return resolved with { Training = resolved.Training with { Threads = recipe.Training.Threads } };
    }

    private static int Threads(Recipe recipe, ProcessGroup processes) => processes.Size == 1 ? recipe.Training.Threads
        : recipe.Training.Threads > 0 ? Math.Min(recipe.Training.Threads, processes.Cores) : processes.Cores;

    // A value alone has no variance. PyTorch refuses it in the step.
    private static void CheckBatch(Recipe recipe, DataSplits data, ProcessGroup processes)
    {
        var loader = Loaders.Training(recipe, data);
        var taught = Lesson.Of(recipe, 1, null).Images(loader.TrainingBatch);
        if (taught < processes.Size)
        {
            throw new InputException(
                $"{(taught < loader.TrainingBatch ? "The part of a batch that a subnet is taught on" : "A batch")} has {Count(taught, "image")}, too few for each of {processes.Size} processes to have one: start fewer, or set training.batch (now {recipe.Training.Batch}){(taught < loader.TrainingBatch ? $" or ews.fraction (now {recipe.Ews.Fraction.ToString(CultureInfo.InvariantCulture)})" : "")} to more.");
        }

        var reduction = NetworkCatalogue.Reduction(recipe.Model.Name);
        if (taught / (recipe.Training.SyncBatchNorm ? 1 : processes.Size) > 1 || loader.Height > reduction || loader.Width > reduction)
        {
            return;
        }

        throw new InputException(
            $"With {(processes.Size > 1 ? "a single image of a batch for each process" : recipe.Training.Batch == 1 ? "training.batch=1" : "a single training image")}, {recipe.Model.Name} makes {loader.Width}x{loader.Height} images so small that batch norm would have one value for each channel, which has no variance: {(processes.Size > 1 ? "start fewer, set training.sync-batch-norm" : recipe.Training.Batch == 1 ? "set training.batch to at least 2" : "give more images")}, or use larger images (data.size) or another network (model.name).");
    }

    private static void DescribeAttack(Recipe recipe, Dataset validation, IRunObserver observer)
    {
        var objective = recipe.Objective;
        var attack = objective.InnerAttack();
        if (recipe.Evaluation.Attack != EvaluationRecipe.None
            && new ThreatModel(recipe.Evaluation.AttackNorm, ThreatModel.ParseEpsilon(recipe.Evaluation.AttackEps)) is var measured
            && measured != attack.Threat)
        {
            observer.Note($"Trained against {attack.Threat}, measured under {measured}: evaluation.attack-norm and evaluation.attack-eps say under what.");
        }

        if (TrainingRun.Chooses(validation))
        {
            observer.Note("The best checkpoint is the one that keeps most held-out images under PGD (column robust).");
        }

        var reach = attack.Steps * attack.StepSize;
        if (reach < attack.Threat.Epsilon * (1 - 1e-6))
        {
            observer.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"The attack in training moves an image by at most {attack.Steps} x {objective.StepSize} = {reach:g3} from where it starts, less than objective.eps = {objective.Eps}: a larger objective.step-size (or auto), or more objective.steps, would make it as strong as what it is to defend against."));
        }
    }

    private static string Count(int number, string what) => $"{number:n0} {what}{(number == 1 ? "" : "s")}";

    private static string Extra(ExtraImages? extra) => extra switch
    {
        null => "",
        { Fraction: 0 } => $" and {extra.Images.Count:n0} extra ones",
        _ => FormattableString.Invariant($", {extra.Fraction:p0} of every batch from {extra.Images.Count:n0} extra ones"),
    };

    private static string Search(Recipe recipe) => recipe.Ews.Search switch
    {
        SearchKind.Off => "no EWS",
        _ => FormattableString.Invariant($"EWS with subnets of width {recipe.Ews.Width} (search: {recipe.Ews.Search.ToString().ToLowerInvariant()})"),
    };

    private static void Describe(Recipe recipe, DataSplits data, IRunObserver observer)
    {
        observer.Note($"{data.Train.Name}: {data.Train.Count:n0} training, {data.Validation.Count:n0} validation and {data.Test.Count:n0} test images of {data.Train.Width}x{data.Train.Height} pixels in {data.Train.Classes.Count} classes");
        if (data.Validation.Count == 0)
        {
            observer.Note("No images are held out for validation: all are trained on, and the weights of the last epoch are kept.");
        }
        else if (!TrainingRun.Chooses(data.Validation))
        {
            observer.Note($"{data.Validation.Count:n0} validation images of {data.Train.Classes.Count} classes are too few to choose a checkpoint by: the weights of the last epoch are kept. A larger data.validation lets them choose, data.validation=0 trains on them, too.");
        }

        if (recipe.Data.Limit > 0 && recipe.Evaluation.Images == 0 && data.Test.Count > data.Train.Count)
        {
            observer.Note($"data.limit is of the training images alone: all {data.Test.Count:n0} test images are measured, unless evaluation.images limits them.");
        }

        if (data.SkippedImages.Count > 0)
        {
            observer.Note($"Skipped {data.SkippedImages.Count} unreadable images: {string.Join(", ", data.SkippedImages.Take(3))}{(data.SkippedImages.Count > 3 ? ", ..." : "")}");
        }
    }
}
