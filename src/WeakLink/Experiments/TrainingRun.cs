using System.Diagnostics;
using System.Text.Json;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Sources;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Experiments;

/// <summary>
/// Trains a network as a recipe says, into a run folder. Interrupted at any moment the folder can be resumed, and ends with the
/// weights of an uninterrupted run, bit for bit (same machine, same number of threads).
/// </summary>
public static class TrainingRun
{
    // Between the saves at the ends of epochs, which may take hours.
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(10);

    // Of an epoch's time; the first epoch of data on a slow disk waits anyway, but less than this.
    private const double NoticeableWait = 0.2;

    // By fewer images than this, in all or of a class in the mean, luck would choose: an accuracy's standard error is up to 7 points there.
    private const int FewestToChoose = 50, FewestOfAClass = 10;

    // Selecting a checkpoint under attack: by PGD-10, however many steps training has, on few enough images to cost less than an epoch.
    private const int ValidationSteps = 10, ValidationImages = 512;

    /// <summary>Whether validation images choose the checkpoint that is kept as the best. Where there are too few, the last weights are.</summary>
    internal static bool Chooses(Dataset validation) => validation.Count >= Math.Max(FewestToChoose, FewestOfAClass * validation.Classes.Count);

    /// <summary>Trains to the end of the recipe, or until stopped.</summary>
    /// <param name="recipe">A resolved recipe (see <see cref="RecipeResolution"/>); a resumed run must get the one that its folder holds.</param>
    /// <param name="data">The images.</param>
    /// <param name="folder">Where the run is kept; when it holds a checkpoint, the run continues from there.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="observer">Told of every step and epoch.</param>
    /// <param name="processes">Those that train together: all stop after the same step, and the folder's first process keeps the run. Null: this one alone.</param>
    /// <param name="stop">Saves after the current step, then throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>How far the run came: to the end.</returns>
    /// <exception cref="InputException">The loss became NaN, the disk is full, or the recipe does not fit the data.</exception>
    public static RunPosition Train(
        Recipe recipe, DataSplits data, RunFolder folder, torch.Device device, IRunObserver observer, ProcessGroup? processes = null, CancellationToken stop = default) =>
        Steps(recipe, data, Loaders.Training(recipe, data), folder, device, observer, processes ?? ProcessGroup.Alone, stop).Last();

    /// <summary>The same on batches of the caller's, one step whenever the next position is asked for. The last one is that of the end.</summary>
    internal static IEnumerable<RunPosition> Steps(
        Recipe recipe, DataSplits data, BatchLoader training, RunFolder folder, torch.Device device, IRunObserver observer, ProcessGroup processes, CancellationToken stop)
    {
        var settings = recipe.Training;
        using var network = recipe.CreateNetwork(data.Train.Classes.Count);
        network.Format = new ComputeFormat(settings.Precision, settings.Layout);
        network.Synchronised = settings.SyncBatchNorm && processes.Size > 1 ? processes : null;
        network.to(device);
        // A run that goes on has weights of its own.
        if (recipe.Model.Weights.Length > 0 && !File.Exists(folder.LastCheckpoint))
        {
            TakeWeights();
        }

        using var optimizer = Optimizer(network, settings);
        using var average = settings.Average > 0 ? new WeightAverage(network, settings.Average) : null;
        using var search = recipe.Ews.CreateSearch(network.Space, recipe.Seed);
        var ews = search is null ? null : new EnhanceWeakSubnets(network, search, new Distillation(recipe.Ews.Weight, recipe.Ews.Kl), processes);
        var steps = training.StepsPerEpoch;
        var weightPerturbation = recipe.Objective.WeightPerturbation > 0
            ? new WeightPerturbation(network, recipe.Objective.WeightPerturbation, settings.StepAfter(recipe.Objective.WeightPerturbationWarmup, steps), processes)
            : null;
        var mixings = AugmentationSequence.Mixings(recipe, data.Train.Classes.Count);
        var objective = recipe.Objective.Create(settings.ClassBalance == ClassBalancing.Weights ? ClassWeights.Of(data.Train, data.Extra) : null, processes);
        var step = new TrainingStep(network, objective, ews, weightPerturbation, optimizer, settings.GradientClip, device, recipe.Seed, mixings, Lesson.Of(recipe, steps, average), average, processes);

        var chooses = Chooses(data.Validation);
        var frozen = new FrozenParts(network, settings, steps);
        var position = folder.Restore(network, optimizer, search, average) ?? new RunPosition();
        if (!processes.From<int[]>([position.Epoch, position.StepInEpoch]).SequenceEqual([position.Epoch, position.StepInEpoch]))
        {
            throw new InputException($"Process {processes.Rank} of {processes.Size} finds another run in '{folder.Path}' than the first process does: the run folder must be on a disk that all machines share.");
        }

        var saved = Stopwatch.GetTimestamp();
        observer.Begin("training", (long)settings.Epochs * steps * training.TrainingBatch, "images", (((long)position.Epoch * steps) + position.StepInEpoch) * training.TrainingBatch);
        while (!IsDone(position))
        {
            var epoch = position.Epoch;
            network.train();
            var clock = new TrainingClock(training);
            foreach (var batch in training.Training(recipe.Seed, epoch, position.StepInEpoch, (inEpoch, images) => step.Deal(((long)epoch * steps) + inEpoch, images)))
            {
                using (batch)
                {
                    var globalStep = ((long)epoch * steps) + position.StepInEpoch;
                    frozen.Apply(globalStep);
                    var result = step.Run(batch, globalStep, LearningRate.At(settings, globalStep, steps));
                    position = clock.Advance(position, result, processes);
                    observer.Advance((globalStep + 1) * training.TrainingBatch, $"epoch {epoch + 1}/{settings.Epochs}, loss {position.LossSum / position.Images:0.00}, {100.0 * position.Correct / position.Images:0.0}% right, waited {100 * position.EpochSecondsWaited / position.EpochSeconds:0}%");
                }

                // After the same step on all: one that went on would wait for the others for ever.
                var stopping = processes.Any(stop.IsCancellationRequested);
                if (stopping || Stopwatch.GetElapsedTime(saved) > SaveInterval)
                {
                    folder.SaveLast(network, optimizer, search, position, average);
                    saved = Stopwatch.GetTimestamp();
                }

                if (stopping)
                {
                    throw new OperationCanceledException(stop);
                }

                yield return position;
            }

            position = EndEpoch();
        }

        yield return position;

        void TakeWeights()
        {
            using var weights = PretrainedWeights.Open(recipe.Model);
            var taken = weights.CopyTo(network, data.Train.Classes);
            if (processes.Leads)
            {
                AtomicFile.Write(RunFolder.WeightsOf(folder.Path), JsonSerializer.Serialize(taken, Json.Indented) + "\n");
            }

            observer.Note(taken.ToString());
        }

        RunPosition EndEpoch()
        {
            // The average, where there is one, is what is validated and kept.
            var next = average is null ? Validate() : Averaged();
            if (IsDone(next) || next.Epoch % settings.CheckpointEvery == 0)
            {
                folder.SaveLast(network, optimizer, search, next, average);
                saved = Stopwatch.GetTimestamp();
            }

            if (IsDone(next) && next.Epoch < settings.Epochs)
            {
                observer.Note($"Epoch {next.BestEpoch} stayed the best for {settings.Patience} epochs (training.patience): training ends after epoch {next.Epoch}.");
            }

            return next;

            RunPosition Averaged()
            {
                using var own = average.Applied();
                return Validate();
            }
        }

        RunPosition Validate()
        {
            var epoch = position.Epoch + 1;
            CleanSummary? held = null;
            double? robust = null;
            if (data.Validation.Count > 0 && (epoch == settings.Epochs || epoch % settings.ValidateEvery == 0))
            {
                network.eval();
                held = new Evaluator(network, recipe, data.Validation, device, new SilentObserver()) { Processes = processes }.Clean().Summary;
                robust = RobustValidation(network, recipe, data.Validation, device, processes);
            }

            var metrics = Metrics(position, held, robust);
            folder.WriteEpoch(metrics);
            observer.Epoch(metrics);
            if (epoch == 1 && metrics.WaitedForData > NoticeableWait)
            {
                observer.Note($"The steps waited for images {100 * metrics.WaitedForData:0}% of the time: more training.workers, a larger data.cache-megabytes or a smaller data.size would make them wait less.");
            }

            var next = position.NextEpoch();
            // What was trained for selects: accuracy under attack for adversarial objectives.
            var (top1, nll) = (robust ?? held?.Top1 ?? -1, held?.Nll ?? double.MaxValue);
            if (chooses ? held is not null && position.IsBeatenBy(top1, nll) : epoch == settings.Epochs)
            {
                next = next with { BestTop1 = top1, BestNll = nll, BestEpoch = epoch };
                folder.SaveBest(network, next);
            }

            if (settings.KeepEvery > 0 && epoch % settings.KeepEvery == 0)
            {
                folder.KeepEpoch(network, next);
            }

            return next;
        }

        bool IsDone(RunPosition after) => after.Epoch >= settings.Epochs
            || (settings.Patience > 0 && after.BestEpoch > 0 && after.Epoch - after.BestEpoch >= settings.Patience && after.Epoch % settings.ValidateEvery == 0);

        EpochMetrics Metrics(RunPosition done, CleanSummary? held, double? robust) => new(
            done.Epoch + 1,
            ((long)done.Epoch * steps) + done.StepInEpoch,
            LearningRate.At(settings, ((long)done.Epoch * steps) + done.StepInEpoch - 1, steps),
            done.LossSum / done.Images,
            done.Images > done.UntaughtImages ? done.DivergenceSum / (done.Images - done.UntaughtImages) : null,
            (double)done.Correct / done.Images,
            held?.Top1,
            held?.Nll,
            robust,
            done.EpochSeconds,
            done.Images / done.EpochSeconds,
            done.EpochSecondsWaited / done.EpochSeconds);
    }

    /// <summary>What moves the weights of a network, as a recipe says.</summary>
    internal static ResumableOptimizer Optimizer(ClassifierNetwork network, TrainingRecipe settings)
    {
        var groups = ParameterGroup.Of(network, settings);
        return settings.Optimiser == OptimiserKind.Adamw
            ? new DecoupledAdam(groups, settings.LearningRate, settings.Momentum, settings.WeightDecay)
            : new MomentumSgd(groups, settings.LearningRate, settings.Momentum, settings.WeightDecay, settings.Nesterov);
    }

    /// <summary>Accuracy of the held-out images under a PGD attack; null where the objective is not adversarial.</summary>
    private static double? RobustValidation(ClassifierNetwork network, Recipe recipe, Dataset validation, torch.Device device, ProcessGroup processes)
    {
        if (!recipe.Objective.Kind.IsAdversarial() || validation.Count == 0)
        {
            return null;
        }

        var threat = recipe.Objective.Threat();
        var attack = new ProjectedGradientDescent(threat, ValidationSteps, threat.Epsilon / 4);
        var images = StratifiedSplit.Limit(validation, ValidationImages, recipe.Seed);
        // float32, as all attacks are measured: what chooses a checkpoint is what will be reported of it.
        var format = network.Format;
        network.Format = ComputeFormat.Exact;
        try
        {
            return new Evaluator(network, recipe, images, device, new SilentObserver()) { Processes = processes }.Attacked(attack.Name, [attack]).Accuracy;
        }
        finally
        {
            network.Format = format;
        }
    }

    /// <summary>Measures what the steps of an epoch cost, the wait for data included and everything between them left out.</summary>
    private sealed class TrainingClock(BatchLoader loader)
    {
        private long _wall = Stopwatch.GetTimestamp();
        private TimeSpan _processor = Environment.CpuUsage.TotalTime;
        private double _waited = loader.SecondsWaited;

        public RunPosition Advance(RunPosition position, StepResult step, ProcessGroup processes)
        {
            var (wall, processor, waited) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, loader.SecondsWaited);
            Span<double> busy = [(processor - _processor).TotalSeconds];
            processes.Sum(busy);
            position = position.After(step, Stopwatch.GetElapsedTime(_wall, wall).TotalSeconds, waited - _waited, busy[0]);
            (_wall, _processor, _waited) = (wall, processor, waited);
            return position;
        }
    }
}
