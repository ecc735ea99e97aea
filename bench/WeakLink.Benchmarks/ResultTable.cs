using WeakLink.Comparisons;
using WeakLink.Experiments;

namespace WeakLink.Benchmarks;

/// <summary>A table of docs/results.md: ways of training, each with several seeds, and what is reported of them.</summary>
/// <param name="Settings">What all change of their recipe.</param>
/// <param name="Arms">The rows.</param>
/// <param name="Columns">The columns.</param>
internal sealed record ResultTable(string[] Settings, Arm[] Arms, Metric[] Columns)
{
    /// <summary>Trains what is missing and prints the table.</summary>
    /// <param name="data">The images.</param>
    /// <param name="output">Where the run folders are.</param>
    /// <param name="seeds">Seeds of each arm, from 0.</param>
    /// <param name="settings">Further settings of all runs.</param>
    public void Run(string data, string output, int seeds, string[] settings)
    {
        IReadOnlyList<long> all = [.. Enumerable.Range(0, seeds)];
        var unfinished = ComparisonTraining.Train(Arms, [.. Settings, $"data.source={data}", .. settings], all, output, new Lines());
        if (unfinished.Count > 0)
        {
            Console.Error.WriteLine($"{unfinished.Count} runs of other processes are not finished: the same command prints the table when they are.");
            return;
        }

        var arms = ComparisonTraining.Read(Arms, all, output);
        var first = arms[0].Runs[0].Summary;
        Console.WriteLine(FormattableString.Invariant($"{first.Data}, recipe {Path.GetFileNameWithoutExtension(Arms[0].Recipe)}, {first.Model}, {first.Format}, {first.Images:n0} test images; mean ± standard deviation over seeds 0 to {seeds - 1}.\n"));
        Console.WriteLine($"| | {string.Join(" | ", Columns.Select(column => column.Name))} |");
        Console.WriteLine($"|---{string.Concat(Columns.Select(_ => "|---"))}|");
        foreach (var arm in arms)
        {
            Console.WriteLine($"| {arm.Name} | {string.Join(" | ", Columns.Select(column => column.Show(arm.Spread(column))))} |");
        }
    }

    /// <summary>Epochs as plain lines on standard error: the table is alone on standard output.</summary>
    private sealed class Lines : IRunObserver
    {
        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics) => Note(FormattableString.Invariant(
            $"epoch {metrics.Epoch}, train {metrics.TrainTop1:p1}, {(metrics.ValidationTop1 is { } valid ? FormattableString.Invariant($"valid {valid:p1}, ") : "")}{metrics.ImagesPerSecond:n0} images/s"));

        public void Note(string sentence) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {sentence}");
    }
}
