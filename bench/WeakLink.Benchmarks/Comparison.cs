using System.Globalization;
using WeakLink.Evaluation;
using WeakLink.Training;

namespace WeakLink.Benchmarks;

/// <summary>One way of training.</summary>
/// <param name="Name">Its row in the table.</param>
/// <param name="Folder">Its run folders' name, before the seed.</param>
/// <param name="Settings">What differs from the table's recipe.</param>
internal sealed record Arm(string Name, string Folder, params string[] Settings);

/// <summary>One number of a run.</summary>
/// <param name="Title">Its column in the table.</param>
/// <param name="Digits">Digits after the point.</param>
/// <param name="Value">Where the summary has it.</param>
internal sealed record Column(string Title, int Digits, Func<Summary, double?> Value);

/// <summary>Ways of training, each with several seeds, and what is reported of them.</summary>
/// <param name="Recipe">The recipe of all.</param>
/// <param name="Settings">What all change of it.</param>
/// <param name="Arms">The rows.</param>
/// <param name="Columns">The columns.</param>
internal sealed record Comparison(string Recipe, string[] Settings, Arm[] Arms, Column[] Columns)
{
    /// <summary>
    /// Trains what is missing and prints the table. Every run stays in its folder, and several processes may work on one table: each
    /// passes over what another trains, and the last one prints the table.
    /// </summary>
    /// <param name="data">The images.</param>
    /// <param name="output">Where the run folders are.</param>
    /// <param name="seeds">Seeds of each arm, from 0.</param>
    /// <param name="settings">Further settings of all runs.</param>
    public void Run(string data, string output, int seeds, string[] settings)
    {
        // Seed by seed: a table that is cut short compares all arms.
        foreach (var (seed, arm) in from seed in Enumerable.Range(0, seeds) from arm in Arms select (seed, arm))
        {
            Train(arm, Folder(output, arm, seed), [.. Settings, .. arm.Settings, $"data.source={data}", $"seed={seed}", .. settings]);
        }

        var missing = Arms.Sum(arm => Enumerable.Range(0, seeds).Count(seed => !IsDone(Folder(output, arm, seed))));
        if (missing > 0)
        {
            Console.Error.WriteLine($"{missing} runs of other processes are not finished: the same command prints the table when they are.");
            return;
        }

        var runs = Arms.Select(arm => (arm.Name, Summaries: Enumerable.Range(0, seeds).Select(seed => Summary.Read(Folder(output, arm, seed))).ToList())).ToList();
        var first = runs[0].Summaries[0];
        Console.WriteLine(FormattableString.Invariant($"{first.Data}, recipe {Path.GetFileNameWithoutExtension(Recipe)}, {first.Model}, {first.Format}, {first.Images:n0} test images; mean ± standard deviation over seeds 0 to {seeds - 1}.\n"));
        Console.WriteLine($"| | {string.Join(" | ", Columns.Select(column => column.Title))} |");
        Console.WriteLine($"|---{string.Concat(Columns.Select(_ => "|---"))}|");
        foreach (var (name, summaries) in runs)
        {
            Console.WriteLine($"| {name} | {string.Join(" | ", Columns.Select(column => Spread([.. summaries.Select(column.Value).OfType<double>()], column.Digits)))} |");
        }
    }

    private static string Folder(string output, Arm arm, int seed) => Path.Combine(output, $"{arm.Folder}-{seed}");

    private static bool IsDone(string folder) => File.Exists(Path.Combine(folder, "summary.json"));

    private void Train(Arm arm, string folder, string[] settings)
    {
        if (IsDone(folder))
        {
            return;
        }

        using var mine = Take(folder + ".lock");
        if (mine is not null)
        {
            Experiment.Run(RecipeFile.Load(Recipe, settings), folder, RunFolder.IsRun(folder), new Lines(Path.GetFileName(folder)));
        }
    }

    // Null where another process trains.
    private static FileStream? Take(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Spread(List<double> values, int digits)
    {
        if (values.Count == 0)
        {
            return "";
        }

        var mean = values.Average();
        var format = "F" + digits.ToString(CultureInfo.InvariantCulture);
        return values.Count == 1
            ? mean.ToString(format, CultureInfo.InvariantCulture)
            : $"{mean.ToString(format, CultureInfo.InvariantCulture)} ± {Math.Sqrt(values.Sum(x => (x - mean) * (x - mean)) / (values.Count - 1)).ToString(format, CultureInfo.InvariantCulture)}";
    }

    /// <summary>Epochs as plain lines on standard error: the table is alone on standard output.</summary>
    private sealed class Lines(string run) : IRunObserver
    {
        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics) => Console.Error.WriteLine(FormattableString.Invariant(
            $"{DateTime.Now:HH:mm:ss} {run}: epoch {metrics.Epoch}, train {metrics.TrainTop1:p1}, valid {metrics.ValidationTop1:p1}, {metrics.ImagesPerSecond:n0} images/s"));

        public void Note(string sentence) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {run}: {sentence}");
    }
}
