using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Runs;

/// <summary>
/// A run as a directory that explains itself: recipe.yaml (resolved), environment.json, metrics.jsonl, TensorBoard events,
/// checkpoints, summary.json. Only one process trains into it at a time; of several that train together the first, and for the others nothing here writes.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string RecipeName = "recipe.yaml";
    private const string CheckpointFolder = "checkpoints";
    private const string MetricsName = "metrics.jsonl";
    private const string LockName = ".lock";
    private const string EnvironmentName = "environment.json";
    private const string CommandsName = "commands.txt";
    private const string SummaryName = "summary.json";
    private const string WeightsName = "weights.json";
    private const string EpochPrefix = "epoch-";
    private const string ResultsFolder = "results";
    private const string EvaluationsFolder = "evaluations";

    private static readonly string[] OwnNames = [RecipeName, MetricsName, LockName, EnvironmentName, CommandsName, SummaryName, WeightsName, RunImages.FileName, SubnetFile.WeakestName];

    // Two hundred thousand epochs.
    private const int MostCharacters = 1 << 26;

    // Null: another process of the group writes.
    private readonly FileStream? _lock;
    private readonly Recipe _recipe;
    private readonly IReadOnlyList<string> _classes;
    private readonly ImageSize _size;
    private SummaryWriter? _tensorBoard;

    private RunFolder(string path, FileStream? held, Recipe recipe, IReadOnlyList<string> classes, ImageSize size)
    {
        (Path, _lock, _recipe, _classes, _size) = (path, held, recipe, classes, size);
    }

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>The checkpoint that the run continues from.</summary>
    public string LastCheckpoint => System.IO.Path.Combine(Path, CheckpointFolder, "last.safetensors");

    /// <summary>The checkpoint that did best on the validation images.</summary>
    public string BestCheckpoint => System.IO.Path.Combine(Path, CheckpointFolder, "best.safetensors");

    /// <summary>Where the measurement after training keeps its results (see <see cref="Evaluation.Evaluator.Keeping"/>), until there is a summary.</summary>
    internal string MeasuringProgress => System.IO.Path.Combine(Path, "measuring");

    /// <summary>The page for people to look at.</summary>
    public string Report => ReportOf(Path);

    private string MetricsFile => System.IO.Path.Combine(Path, MetricsName);

    /// <summary>Whether a directory holds a run.</summary>
    public static bool IsRun(string path) => File.Exists(System.IO.Path.Combine(path, RecipeName));

    /// <summary>Whether a directory holds the results of a run.</summary>
    public static bool IsFinished(string path) => File.Exists(SummaryOf(path));

    /// <summary>The file with the results of a run.</summary>
    public static string SummaryOf(string path) => System.IO.Path.Combine(path, SummaryName);

    /// <summary>The file that says what a run took from the weights that it began with (<c>model.weights</c>).</summary>
    public static string WeightsOf(string path) => System.IO.Path.Combine(path, WeightsName);

    /// <summary>What the measurement after training left beside summary.json (see <see cref="ResultFiles"/>).</summary>
    public static string ResultsOf(string path) => System.IO.Path.Combine(path, ResultsFolder);

    /// <summary>What later evaluations of a run measured, oldest first: the folder of each, with its summary.</summary>
    /// <param name="path">The run's directory.</param>
    /// <exception cref="InputException">A summary is damaged.</exception>
    public static IReadOnlyList<(string Folder, Summary Summary)> EvaluationsOf(string path)
    {
        var evaluations = System.IO.Path.Combine(ResultsOf(path), EvaluationsFolder);
        return Directory.Exists(evaluations)
            ? [.. Directory.EnumerateDirectories(evaluations).Where(folder => NumberOf(folder) > 0 && IsFinished(folder)).OrderBy(NumberOf).Select(folder => (folder, Summary.Read(SummaryOf(folder))))]
            : [];
    }

    /// <summary>Keeps what an evaluation of a run measured, under the next free number.</summary>
    /// <param name="path">The run's directory.</param>
    /// <param name="measurement">What was measured.</param>
    /// <param name="images">The images that it was measured on.</param>
    /// <returns>Its folder.</returns>
    /// <exception cref="InputException">It can't be written.</exception>
    public static string KeepEvaluation(string path, Measurement measurement, Dataset images)
    {
        var evaluations = System.IO.Path.Combine(ResultsOf(path), EvaluationsFolder);
        var half = AtomicFile.TemporaryOf(System.IO.Path.Combine(evaluations, "new"));
        try
        {
            ResultFiles.Write(half, measurement, images);
            AtomicFile.Write(System.IO.Path.Combine(half, SummaryName), measurement.Summary.ToJson() + "\n");
            for (var number = Directory.EnumerateDirectories(evaluations).Max(NumberOf) + 1; ; number++)
            {
                var folder = System.IO.Path.Combine(evaluations, number.ToString(CultureInfo.InvariantCulture));
                try
                {
                    Directory.Move(half, folder);
                    return folder;
                }
                catch (IOException) when (System.IO.Path.Exists(folder))
                {
                    // Another process took the number.
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskErrors.CannotWriteInto(path, exception);
        }
        finally
        {
            if (Directory.Exists(half))
            {
                Directory.Delete(half, recursive: true);
            }
        }
    }

    /// <summary>The number of an evaluation; 0 for other folders.</summary>
    private static int NumberOf(string folder) => int.TryParse(System.IO.Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>The recipe of a run, as it was resolved when the run began.</summary>
    /// <exception cref="InputException">The directory holds no run.</exception>
    public static Recipe RecipeOf(string path) => IsRun(path)
        ? RecipeFile.Load(System.IO.Path.Combine(path, RecipeName), [])
        : throw new InputException($"'{path}' holds no run that could be resumed: start one, or give the folder of another.");

    /// <summary>The checkpoint that a user means: a file, or a run's best (its last, where no epoch was validated yet).</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static string CheckpointOf(string model)
    {
        if (File.Exists(model))
        {
            return model;
        }

        var checkpoints = System.IO.Path.Combine(model, CheckpointFolder);
        return new[] { "best.safetensors", "last.safetensors" }.Select(name => System.IO.Path.Combine(checkpoints, name)).FirstOrDefault(File.Exists)
            ?? throw new InputException(Directory.Exists(model)
                ? $"'{model}' holds no checkpoint: give a run folder that has completed an epoch, or a .safetensors file."
                : $"There is no model at '{model}': give a run folder or a .safetensors checkpoint.");
    }

    /// <summary>The run that would keep a file of this name and place: what it rests on, and all among its checkpoints; null: none.</summary>
    public static string? Keeper(string file)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file));
        return AmongCheckpointsOf(file) ?? AmongResultsOf(folder) ?? (folder is not null && IsRun(folder) && OwnNames.Contains(System.IO.Path.GetFileName(file)) ? folder : null);
    }

    // However deep: evaluations have folders of their own.
    private static string? AmongResultsOf(string? folder) => folder is null ? null
        : System.IO.Path.GetFileName(folder) == ResultsFolder && System.IO.Path.GetDirectoryName(folder) is { } run && IsRun(run) ? run
        : AmongResultsOf(System.IO.Path.GetDirectoryName(folder));

    /// <summary>The run among whose checkpoints a file lies, be it one of them or not; null: none.</summary>
    internal static string? AmongCheckpointsOf(string file)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file));
        return System.IO.Path.GetFileName(folder) == CheckpointFolder && System.IO.Path.GetDirectoryName(folder) is { } run && IsRun(run) ? run : null;
    }

    /// <summary>Checksums of what the results of a run rest on.</summary>
    internal static RunChecksums ChecksumsOf(string path) => new(
        ChecksumOf(System.IO.Path.Combine(path, RecipeName)), ChecksumOf(BestOf(path)), IfThere(LastOf(path)), IfThere(System.IO.Path.Combine(path, MetricsName)), IfThere(PredictionsOf(path)));

    /// <summary>Refuses a run whose files are not those that its results rest on; one that was thrown away says nothing.</summary>
    /// <exception cref="InputException">The recipe or the best checkpoint was changed, or is another run's.</exception>
    internal static void RequireFiles(string path, RunChecksums expected)
    {
        var (recipe, best) = (System.IO.Path.Combine(path, RecipeName), BestOf(path));
        if (File.Exists(best) && ChecksumOf(best) != expected.Checkpoint)
        {
            throw new InputException($"'{best}' is not the checkpoint that '{SummaryOf(path)}' was measured on: put back the file that was changed, or measure that checkpoint by its own path.");
        }

        foreach (var (file, checksum) in new[] { (LastOf(path), expected.Last), (System.IO.Path.Combine(path, MetricsName), expected.Metrics), (PredictionsOf(path), expected.Predictions) })
        {
            if (checksum is not null && File.Exists(file) && ChecksumOf(file) != checksum)
            {
                throw new InputException($"'{file}' is not the one that the run ended with, which '{SummaryOf(path)}' tells of: put back the file that was changed, or remove it.");
            }
        }

        if (File.Exists(recipe) && ChecksumOf(recipe) != expected.Recipe)
        {
            if (File.Exists(best))
            {
                // Says which key.
                using var checkpoint = Checkpoint.Load(best);
                RequireRecipe(path, best, checkpoint.Recipe);
            }

            throw new InputException($"'{recipe}' was changed after the run was measured: put it back as it was, since '{SummaryOf(path)}' and the checkpoints are of that recipe.");
        }
    }

    /// <summary>Refuses a run whose recipe.yaml is not the recipe that its checkpoint was trained with.</summary>
    /// <param name="path">The run's directory.</param>
    /// <param name="checkpoint">The checkpoint, for the message.</param>
    /// <param name="trained">The recipe in it.</param>
    /// <exception cref="InputException">They differ; the key is named.</exception>
    internal static void RequireRecipe(string path, string checkpoint, Recipe trained)
    {
        if (RecipeDifferences.WithinRun(RecipeOf(path), trained) is var (key, here, there))
        {
            throw new InputException($"'{System.IO.Path.Combine(path, RecipeName)}' has {key} {RecipeDifferences.Quoted(here)}, but '{checkpoint}' was trained with {RecipeDifferences.Quoted(there)}: put back the file that was changed (a run keeps its recipe), start a run of its own for the other recipe, or name the checkpoint instead of the run.");
        }
    }

    /// <summary>The page of a run.</summary>
    public static string ReportOf(string path) => System.IO.Path.Combine(path, "report.html");

    /// <summary>What the epochs of a run brought, in order.</summary>
    public static IReadOnlyList<EpochMetrics> EpochsOf(string path)
    {
        var file = System.IO.Path.Combine(path, MetricsName);
        return File.Exists(file) ? [.. ReadEpochs(file)] : [];
    }

    /// <summary>The commands that made a run: the first one, and those that continued it; empty for runs of older versions.</summary>
    public static IReadOnlyList<string> CommandsOf(string path)
    {
        var file = System.IO.Path.Combine(path, CommandsName);
        return File.Exists(file) ? [.. Lines(file)] : [];
    }

    /// <summary>What a run ran on; null for something that is not a run.</summary>
    public static EnvironmentReport? EnvironmentOf(string path)
    {
        var file = System.IO.Path.Combine(path, EnvironmentName);
        try
        {
            return File.Exists(file) ? Json.Read<EnvironmentReport>(file) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The checkpoints that a run kept on its way, oldest first, and its last.</summary>
    /// <param name="path">The run's directory.</param>
    /// <exception cref="InputException">It kept none.</exception>
    public static IReadOnlyList<string> KeptCheckpoints(string path)
    {
        var checkpoints = System.IO.Path.Combine(path, CheckpointFolder);
        var kept = Directory.Exists(checkpoints)
            ? Directory.EnumerateFiles(checkpoints, EpochPrefix + "*.safetensors").Select(file => (File: file, Epoch: EpochOf(file))).Where(one => one.Epoch > 0).OrderBy(one => one.Epoch).ToList()
            : [];
        if (kept.Count == 0)
        {
            throw new InputException($"'{path}' kept no checkpoints on its way: set training.keep-every in training, or name several runs.");
        }

        var last = System.IO.Path.Combine(checkpoints, "last.safetensors");
        using var final = File.Exists(last) ? Checkpoint.Load(last) : null;
        return [.. kept.Select(one => one.File), .. final is not null && final.Position.Epoch > kept[^1].Epoch ? [last] : Array.Empty<string>()];
    }

    /// <summary>The epoch after which a kept checkpoint was saved; 0 for other files.</summary>
    private static int EpochOf(string file) => int.TryParse(
        System.IO.Path.GetFileNameWithoutExtension(file)[EpochPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;

    /// <summary>When a run was last begun, continued or saved; what is measured of it later does not count.</summary>
    public static DateTime LastTrained(string path) => new[] { RecipeName, CommandsName, MetricsName }
        .Select(name => System.IO.Path.Combine(path, name)).Append(LastOf(path)).Where(File.Exists).Max(File.GetLastWriteTimeUtc);

    /// <summary>Refuses a directory that a run can't use, before anything long begins.</summary>
    /// <exception cref="InputException">A new run is to start where something is.</exception>
    internal static void CheckFree(string path, bool resume)
    {
        if (File.Exists(path) || (!resume && Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any(entry => !IsLeftover(entry))))
        {
            throw new InputException($"'{path}' is {(File.Exists(path) ? "a file" : "not empty")}: {(File.Exists(path) ? "" : "resume its run, or ")}choose another folder.");
        }
    }

    // Of a run that could not begin, on a full disk for instance.
    private static bool IsLeftover(string entry) =>
        System.IO.Path.GetFileName(entry) == LockName || entry.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)
        || (System.IO.Path.GetFileName(entry) == CheckpointFolder && !Directory.EnumerateFileSystemEntries(entry).Any());

    /// <summary>Starts a run in a new (or empty) directory, or opens one to continue it.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="classes">Class names.</param>
    /// <param name="size">Size of the training images.</param>
    /// <param name="environment">What the run runs on, for environment.json.</param>
    /// <param name="resume">Whether a run may be there already.</param>
    /// <param name="processes">Those that train together; null: this one alone.</param>
    /// <exception cref="InputException">The recipe asks for the impossible, something else is there, another process trains into it, or it can't be written.</exception>
    public static RunFolder Open(string path, Recipe recipe, IReadOnlyList<string> classes, ImageSize size, object environment, bool resume, ProcessGroup? processes = null)
    {
        RecipeCheck.Check(recipe);
        if (processes is { Leads: false })
        {
            processes.Barrier();
            return new RunFolder(System.IO.Path.GetFullPath(path), null, recipe, classes, size);
        }

        CheckFree(path, resume);
        path = System.IO.Path.GetFullPath(path);
        var held = LockFile.Take(System.IO.Path.Combine(path, LockName)) ?? throw new InputException($"Another process is training into '{path}': wait for it, or choose another folder.");
        try
        {
            Directory.CreateDirectory(System.IO.Path.Combine(path, CheckpointFolder));
            foreach (var leftover in Directory.EnumerateFiles(path, "*" + AtomicFile.TemporarySuffix, SearchOption.AllDirectories))
            {
                File.Delete(leftover);
            }

            if (!IsRun(path))
            {
                AtomicFile.Write(System.IO.Path.Combine(path, RecipeName), RecipeFile.ToYaml(recipe));
            }

            AtomicFile.Write(System.IO.Path.Combine(path, EnvironmentName), JsonSerializer.Serialize(environment, Json.Indented));
            AtomicFile.Write(System.IO.Path.Combine(path, CommandsName), string.Concat(CommandsOf(path).Append(CommandLine.Current).Select(command => command + "\n")));
            processes?.Barrier();
            return new RunFolder(path, held, recipe, classes, size);
        }
        catch (Exception exception)
        {
            held.Dispose();
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw DiskErrors.CannotWriteInto(path, exception);
            }

            throw;
        }
    }

    /// <summary>Puts the last checkpoint's state back, and forgets metrics of steps that were not saved.</summary>
    /// <returns>How far the run is; null when it has not saved anything yet.</returns>
    /// <exception cref="InputException">The checkpoint is damaged or of another network.</exception>
    public RunPosition? Restore(ClassifierNetwork network, ResumableOptimizer optimizer, ISubnetSearch? search, WeightAverage? average = null)
    {
        if (!File.Exists(LastCheckpoint))
        {
            KeepMetrics(0);
            return null;
        }

        using var checkpoint = Checkpoint.Load(LastCheckpoint);
        RequireRecipe(Path, LastCheckpoint, checkpoint.Recipe);
        checkpoint.Restore(network, optimizer, search, average);
        KeepMetrics(checkpoint.Position.Epoch);
        return WithNewerBest(checkpoint.Position);
    }

    // The best is saved at once, the last every so many epochs: weights of this run that were validated later than where it goes on stay the best until they are beaten,
    // which they are not by the same epoch again where it does not end with the same weights (other processes, another machine).
    private RunPosition WithNewerBest(RunPosition position)
    {
        if (!File.Exists(BestCheckpoint))
        {
            return position;
        }

        using var best = Checkpoint.Load(BestCheckpoint);
        RequireRecipe(Path, BestCheckpoint, best.Recipe);
        var found = best.Position;
        return found.Epoch > position.Epoch ? position with { BestTop1 = found.BestTop1, BestNll = found.BestNll, BestEpoch = found.BestEpoch } : position;
    }

    /// <summary>Saves what the run continues from.</summary>
    /// <exception cref="InputException">The disk is full; the previous checkpoint is intact.</exception>
    public void SaveLast(ClassifierNetwork network, ResumableOptimizer optimizer, ISubnetSearch? search, RunPosition position, WeightAverage? average = null) =>
        Save(LastCheckpoint, network, optimizer, search, position, average);

    /// <summary>Saves the network that did best so far.</summary>
    /// <exception cref="InputException">The disk is full; the previous checkpoint is intact.</exception>
    public void SaveBest(ClassifierNetwork network, RunPosition position) =>
        Save(BestCheckpoint, network, null, null, position);

    /// <summary>Saves the network of this epoch, to stay.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public void KeepEpoch(ClassifierNetwork network, RunPosition position) => Save(
        System.IO.Path.Combine(Path, CheckpointFolder, string.Create(CultureInfo.InvariantCulture, $"{EpochPrefix}{position.Epoch:0000}.safetensors")), network, null, null, position);

    /// <summary>Adds an epoch to metrics.jsonl and to the TensorBoard events.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public void WriteEpoch(EpochMetrics metrics)
    {
        if (_lock is null)
        {
            return;
        }

        RequireFolder();
        try
        {
            File.AppendAllText(MetricsFile, JsonSerializer.Serialize(metrics, Json.Line) + "\n");
            _tensorBoard ??= torch.utils.tensorboard.SummaryWriter(System.IO.Path.Combine(Path, "tensorboard"), createRunName: false);
            foreach (var (name, value) in new (string, double?)[]
            {
                ("train/loss", metrics.Loss), ("train/divergence", metrics.Divergence), ("train/top1", metrics.TrainTop1), ("train/learning-rate", metrics.LearningRate),
                ("train/images-per-second", metrics.ImagesPerSecond), ("validation/top1", metrics.ValidationTop1), ("validation/nll", metrics.ValidationNll), ("validation/robust-top1", metrics.ValidationRobustTop1),
            })
            {
                if (value is { } number)
                {
                    _tensorBoard.add_scalar(name, (float)number, metrics.Epoch);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The metrics of '{Path}' could not be written ({exception.Message.TrimEnd('.')}): free some space and resume the run; the last checkpoint is intact.", exception);
        }
    }

    /// <summary>Writes what was measured, last of all summary.json, after which nothing of the measurement has to be kept elsewhere.</summary>
    /// <param name="measurement">What was measured.</param>
    /// <param name="images">The images that it was measured on.</param>
    /// <returns>The summary, with the checksums of the run's files.</returns>
    /// <exception cref="InputException">The disk is full.</exception>
    public Summary WriteResults(Measurement measurement, Dataset images)
    {
        RequireFolder();
        ResultFiles.Write(ResultsOf(Path), measurement, images);
        var summary = measurement.Summary with { Files = ChecksumsOf(Path) };
        AtomicFile.Write(SummaryOf(Path), summary.ToJson() + "\n");
        if (Directory.Exists(MeasuringProgress))
        {
            Directory.Delete(MeasuringProgress, recursive: true);
        }

        return summary;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock?.Dispose();
    }

    // A run of no epochs has no metrics.
    private static string? IfThere(string file) => File.Exists(file) ? ChecksumOf(file) : null;

    private static string LastOf(string path) => System.IO.Path.Combine(path, CheckpointFolder, "last.safetensors");

    private static string BestOf(string path) => System.IO.Path.Combine(path, CheckpointFolder, "best.safetensors");

    private static string PredictionsOf(string path) => System.IO.Path.Combine(ResultsOf(path), ResultFiles.PredictionsName);

    private static string ChecksumOf(string file)
    {
        var hash = new XxHash64();
        using var stream = InputFile.Open(file);
        hash.Append(stream);
        return hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
    }

    private void Save(string file, ClassifierNetwork network, ResumableOptimizer? optimizer, ISubnetSearch? search, RunPosition position, WeightAverage? average = null)
    {
        if (_lock is null)
        {
            return;
        }

        RequireFolder();
        Checkpoint.Save(file, network, optimizer, search, _recipe, _classes, _size, position, average);
    }

    private void RequireFolder()
    {
        if (!Directory.Exists(System.IO.Path.Combine(Path, CheckpointFolder)))
        {
            throw new InputException($"The run folder '{Path}' was deleted or moved while it was trained into, so nothing more can be saved: put it back and resume the run, or train again.");
        }
    }

    private void KeepMetrics(int epochs)
    {
        if (_lock is null || !File.Exists(MetricsFile))
        {
            return;
        }

        var kept = new StringBuilder();
        foreach (var metrics in ReadEpochs(MetricsFile).Where(metrics => metrics.Epoch <= epochs))
        {
            kept.Append(JsonSerializer.Serialize(metrics, Json.Line)).Append('\n');
        }

        AtomicFile.Write(MetricsFile, kept.ToString());
    }

    private static string[] Lines(string file) => TextFile.Read(file, MostCharacters).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<EpochMetrics> ReadEpochs(string file)
    {
        foreach (var line in Lines(file))
        {
            EpochMetrics? metrics = null;
            try
            {
                metrics = Json.Parse<EpochMetrics>(line);
            }
            catch (JsonException)
            {
                // The line that a kill cut off: its epoch comes again.
            }

            if (metrics is not null)
            {
                yield return metrics;
            }
        }
    }
}
