using System.Globalization;
using WeakLink.Comparisons;
using WeakLink.Runs;

namespace WeakLink.Reports;

/// <summary>What a comparison leaves: comparison.json for programs, report.html for people.</summary>
public static class ComparisonReport
{
    /// <summary>The page's file name.</summary>
    public const string PageName = "report.html";

    /// <summary>The document's file name.</summary>
    public const string DocumentName = "comparison.json";

    // Room between the arms at one metric, of the 1 between metrics.
    private const double ArmsTogether = 0.6;

    /// <summary>Writes both files.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="folder">Where to; made where it is missing.</param>
    /// <param name="command">The command that made it.</param>
    /// <exception cref="InputException">They can't be written.</exception>
    public static void Write(Comparison comparison, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        var page = CreatePage(comparison, command, folder);
        AtomicFile.Write(Path.Combine(folder, DocumentName), comparison.ToJson(command) + "\n");
        page.Write(Path.Combine(folder, PageName));
    }

    /// <summary>The page.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="command">The command that made it.</param>
    /// <param name="folder">Where it will lie, for links to the pages of the runs; null: none.</param>
    public static Page CreatePage(Comparison comparison, string command, string? folder = null)
    {
        var (arms, baseline) = (comparison.Arms, comparison.Baseline);
        var others = comparison.Others.ToList();
        var first = baseline.Runs[0];
        var page = new Page(
            others.Count == 0 ? baseline.Name : $"{string.Join(", ", others.Select(arm => arm.Name))} against {baseline.Name}",
            FormattableString.Invariant($"{first.Summary.Data}, {first.Summary.Model}, {first.Summary.Images:n0} test images; {string.Join(", ", arms.Select(arm => $"{arm.Name}: {Seeds(arm)}"))}"));
        page.Headlines(Headlines(comparison, others));
        foreach (var sentence in comparison.Findings())
        {
            page.Text(sentence);
        }

        foreach (var sentence in comparison.Notes())
        {
            page.Warning(sentence);
        }

        if (others.Count > 0)
        {
            page.Section("Differences");
            page.Figure(DifferencePlot(comparison, others), $"Difference from {baseline.Name} in points. Bars are 95 % confidence intervals; one that crosses the line includes 0. In ECE and flips less is better.");
            AddTable(page, comparison, MetricKind.Quality);
            page.Text("Mean ± standard deviation over seeds; in brackets the 95 % confidence interval of the difference, with a word where it leaves out 0. Of a hundred such intervals ninety-five hold the true difference, so of twenty one leaves out 0 by luck alone. "
                + "Paired intervals are those of the differences seed by seed; where arms share fewer than two seeds they are Welch's.");
        }

        page.Section("Every run");
        page.Figure(RunPlot(comparison), "Each dot is a run.");
        var metrics = comparison.Metrics.Where(metric => metric.Kind != MetricKind.Corruption).ToList();
        page.Table(
            ["run", "seed", .. metrics.Select(metric => metric.Title)],
            from arm in arms
            from run in arm.Runs
            select (IReadOnlyList<string>)[arm.Name, run.Seed.ToString(CultureInfo.InvariantCulture), .. metrics.Select(metric => metric.Value(run.Summary) is { } value ? metric.Show(value) : "–")]);
        if (folder is not null && arms.SelectMany(arm => arm.Runs.Select(run => (arm.Name, run.Seed, Page: RunFolder.ReportOf(run.Folder)))).Where(run => File.Exists(run.Page)).ToList() is { Count: > 0 } pages)
        {
            page.Links("Pages of the runs:", pages.Select(run => ($"{run.Name}-{run.Seed}", string.Join('/', Path.GetRelativePath(folder, run.Page).Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString)))));
        }

        if (arms.Any(arm => Curve(arm).Count > 1))
        {
            page.Section("Learning curves");
            page.Figure(CurvePlot(arms), "Accuracy on the validation images, mean over seeds, by training images seen.");
        }

        if (comparison.Metrics.Any(metric => metric.Kind == MetricKind.Corruption))
        {
            page.Section("Corruptions");
            AddTable(page, comparison, MetricKind.Corruption);
            page.Text("Accuracy in percent, mean over severities.");
        }

        page.Section("Cost");
        AddCost(page, comparison);
        page.Section("What differs");
        AddRecipes(page, comparison);
        page.Section("How it was made");
        page.Code(command);
        foreach (var machine in Environments(arms))
        {
            page.Text(machine);
        }

        page.Details("run folders", string.Join('\n', arms.SelectMany(arm => arm.Runs.Select(run => $"{arm.Name}, seed {run.Seed}: {run.Folder}"))));
        return page;
    }

    private static IEnumerable<Headline> Headlines(Comparison comparison, List<ComparedArm> others)
    {
        var shown = comparison.Metrics.Where(metric => metric.Kind == MetricKind.Quality && metric.Scale == 100 && metric.Better == Better.Higher).ToList();
        // Several arms have room for one number each: the hardest condition that was measured of the whole network.
        var key = shown.LastOrDefault(metric => !metric.Key.StartsWith("subnets.", StringComparison.Ordinal) && metric != Metric.Noises && metric != Metric.OtherCorruptions && comparison.Baseline.Spread(metric) is not null);
        foreach (var arm in others)
        {
            foreach (var metric in others.Count == 1 ? shown : shown.Where(metric => metric == key))
            {
                if (comparison.Difference(arm, metric) is { } difference)
                {
                    yield return new(
                        others.Count == 1 ? metric.Name : $"{arm.Name}: {metric.Name}",
                        metric.ShowDifference(difference.Mean),
                        (difference.HalfWidth is null ? "points, one seed" : $"points, {metric.ShowInterval(difference)}") + $"; {metric.Show(comparison.Baseline.Spread(metric)!.Mean)} → {metric.Show(arm.Spread(metric)!.Mean)} %");
                }
            }

            if (comparison.ComputeRatio(arm) is { } ratio)
            {
                yield return new(others.Count == 1 ? "training compute" : $"{arm.Name}: compute", FormattableString.Invariant($"× {ratio:0.00}"), $"of {comparison.Baseline.Name}");
            }
        }

        if (others.Count == 0)
        {
            foreach (var metric in shown)
            {
                yield return new(metric.Name, metric.Show(comparison.Baseline.Spread(metric)!.Mean) + " %", $"mean of {Seeds(comparison.Baseline)}");
            }
        }
    }

    private static void AddTable(Page page, Comparison comparison, MetricKind kind)
    {
        page.Table(
            // What one looks for first: on a phone the rest is beside the screen.
            ["", .. comparison.Others.SelectMany(arm => new[] { $"{arm.Name}, difference", arm.Name }), comparison.Baseline.Name],
            comparison.Metrics.Where(metric => metric.Kind == kind).Select(metric => (IReadOnlyList<string>)[
                metric.Title.Replace('_', ' '),
                .. comparison.Others.SelectMany(arm => new[] { Shown(metric.ShowWithInterval(comparison.Difference(arm, metric))) + Read(metric, comparison.Difference(arm, metric)), Mean(arm, metric) }),
                Mean(comparison.Baseline, metric),
            ]));

        static string Mean(ComparedArm arm, Metric metric) => Shown(metric.Show(arm.Spread(metric)));

        static string Shown(string text) => text.Length == 0 ? "–" : text;
        static string Read(Metric metric, Difference? difference) => difference?.IncludesZero == false ? $", {Comparison.Reading(metric, difference)}" : "";
    }

    private static void AddCost(Page page, Comparison comparison)
    {
        page.Table(
            ["", "epochs", "images seen", Metric.TrainMinutes.Title, Metric.TrainCoreMinutes.Title, $"compute, times {comparison.Baseline.Name}", "measuring, minutes"],
            comparison.Arms.Select(arm => (IReadOnlyList<string>)[
                arm.Name,
                string.Join(", ", arm.Runs.Select(run => run.Summary.Epochs).Distinct()),
                Comparison.ImagesSeen(arm) is { } seen ? seen.ToString("n0", CultureInfo.InvariantCulture) : "–",
                Metric.TrainMinutes.Show(arm.Spread(Metric.TrainMinutes)),
                Metric.TrainCoreMinutes.Show(arm.Spread(Metric.TrainCoreMinutes)),
                comparison.ComputeRatio(arm) is { } ratio ? ratio.ToString("0.00", CultureInfo.InvariantCulture) : "–",
                (arm.Runs.Average(run => run.Summary.Seconds.Evaluate) / 60).ToString("0.00", CultureInfo.InvariantCulture),
            ]));
        page.Text("For one run. Wall-clock minutes depend on what else the machine did; core minutes, of the processor over all cores, far less.");
    }

    private static void AddRecipes(Page page, Comparison comparison)
    {
        var keys = comparison.DifferingKeys();
        if (keys.Count == 0)
        {
            page.Text("The recipes do not differ.");
            return;
        }

        page.Table(["key", .. comparison.Arms.Select(arm => arm.Name)], keys.Select(key => (IReadOnlyList<string>)[key.Key, .. key.Values]));
        page.Text("All other settings are equal; every run folder has them in its recipe.yaml.");
    }

    private static IEnumerable<string> Environments(IReadOnlyList<ComparedArm> arms) =>
        from arm in arms
        from run in arm.Runs
        group $"{arm.Name}-{run.Seed}" by run.Environment is { } e
            ? $"{e.System}, {e.Processor}, {e.Cores} cores, {e.Simd}, {e.Device}; WeakLink {e.WeakLink}, .NET {e.Dotnet}, libtorch {e.Libtorch}; {run.Summary.Format}, {run.Recipe.Training.Threads} thread{(run.Recipe.Training.Threads == 1 ? "" : "s")}"
            : "an unknown machine"
        into runs
        select $"{string.Join(", ", runs)}: {runs.Key}.";

    private static string DifferencePlot(Comparison comparison, List<ComparedArm> others)
    {
        // The NLL has another unit: beside it the points could not be told apart.
        var metrics = comparison.Metrics.Where(metric => metric is { Kind: MetricKind.Quality, Scale: 100 }).ToList();
        var plot = Chart.Create("difference from the baseline, points", "");
        plot.NameDown([.. metrics.Select(metric => metric.Name)]);
        plot.Rule(null, (0, -0.6), (0, metrics.Count - 0.4), dashed: true);
        // The chart's own limits leave the bars out.
        var ends = (from arm in others from metric in metrics let difference = comparison.Difference(arm, metric) where difference is not null select difference)
            .SelectMany(difference => new[] { 100 * (difference.Low ?? difference.Mean), 100 * (difference.High ?? difference.Mean) }).Append(0).ToList();
        var room = Math.Max(0.1, 0.05 * (ends.Max() - ends.Min()));
        (plot.Axes[0].Minimum, plot.Axes[0].Maximum) = (ends.Min() - room, ends.Max() + room);
        for (var i = 0; i < others.Count; i++)
        {
            // The arm's own place among all, so that it looks the same in every plot.
            plot.Intervals(
                comparison.Arms.ToList().IndexOf(others[i]),
                others[i].Name,
                from at in Enumerable.Range(0, metrics.Count)
                let difference = comparison.Difference(others[i], metrics[at])
                where difference is not null
                select (100 * difference.Mean, at + Beside(i, others.Count), 100 * (difference.HalfWidth ?? 0)));
        }

        return plot.Svg(height: Height(metrics.Count, others.Count));
    }

    private static string RunPlot(Comparison comparison)
    {
        var metrics = comparison.Metrics.Where(metric => metric.Kind == MetricKind.Quality && metric.Scale == 100 && metric.Better == Better.Higher).ToList();
        var plot = Chart.Create("percent", "");
        plot.NameDown([.. metrics.Select(metric => metric.Name)]);
        for (var i = 0; i < comparison.Arms.Count; i++)
        {
            plot.Dots(i, comparison.Arms[i].Name, metrics.SelectMany((metric, at) => comparison.Arms[i].Values(metric).Values.Select(value => (100 * value, at + Beside(i, comparison.Arms.Count)))));
        }

        return plot.Svg(height: Height(metrics.Count, comparison.Arms.Count));
    }

    // Room for every arm at every metric.
    private static int Height(int metrics, int arms) => 110 + (metrics * Math.Max(30, 16 * arms));

    private static string CurvePlot(IReadOnlyList<ComparedArm> arms)
    {
        var plot = Chart.Create("training images seen, thousands", "validation top-1, %");
        for (var i = 0; i < arms.Count; i++)
        {
            plot.Line(i, arms[i].Name, Curve(arms[i]));
        }

        return plot.Svg();
    }

    // Epochs that every run of the arm validated.
    private static IReadOnlyCollection<(double X, double Y)> Curve(ComparedArm arm) =>
        [.. from run in arm.Runs
            from epoch in run.Epochs
            where epoch.ValidationTop1 is not null
            group (Images: (double)run.ImagesSeenBy(epoch.Epoch), Top1: epoch.ValidationTop1!.Value) by epoch.Epoch into same
            where same.Count() == arm.Runs.Count
            orderby same.Key
            select (same.Average(one => one.Images) / 1000, 100 * same.Average(one => one.Top1))];

    private static string Seeds(ComparedArm arm) => $"{arm.Runs.Count} {(arm.Runs.Count == 1 ? "seed" : "seeds")}";

    private static double Beside(int index, int count) => count == 1 ? 0 : ArmsTogether * (((index + 0.5) / count) - 0.5);
}
