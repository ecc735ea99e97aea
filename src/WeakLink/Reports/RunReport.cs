using System.Globalization;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Reports;

/// <summary>report.html of a run: what its summary says, and the pictures kept beside. It needs neither the data nor the network.</summary>
public static class RunReport
{
    // The size of attack that a page without a measured one begins with, in 255ths.
    private const double HeadlineSize = 1;
    private const int MostClasses = 50;

    // The usual bound of n·p·(1 − p), from where on a binomial count is nearly normal.
    private const int FewestForError = 10;

    // A table of more columns is wider than any screen.
    private const int MostInMatrix = 20;

    /// <summary>Draws the page of a finished run.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="path">The page.</param>
    /// <exception cref="InputException">A file of the run is damaged, or another's; or the page can't be written.</exception>
    public static void Write(string folder, string path) => CreatePage(folder, Summary.Read(folder)).Write(path);

    /// <summary>The page.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="summary">The results.</param>
    /// <exception cref="InputException">A file of the run is damaged, or another's.</exception>
    public static Page CreatePage(string folder, Summary summary)
    {
        var evaluations = RunFolder.EvaluationsOf(folder);
        // Of a run that kept nothing to look at, the evaluation that did so last.
        (string Folder, Summary Summary)[] measured = [(RunFolder.ResultsOf(folder), summary), .. evaluations.Reverse()];
        var whole = Array.FindIndex(measured, one => ResultFiles.HasPictures(one.Folder, one.Summary));
        var (results, seen) = measured[Math.Max(whole, 0)];
        var pictures = whole >= 0 ? seen.Examples : null;
        var recipe = RunFolder.RecipeOf(folder);

        var page = new Page($"{Path.GetFileName(Path.GetFullPath(folder))}: {summary.Model} on {summary.Data}", Under(summary, recipe.Objective));
        page.Headlines(Headlines(summary, seen));
        foreach (var warning in Warnings(summary).Append(seen.Balance?.Doubt).OfType<string>())
        {
            page.Warning(warning);
        }

        if (pictures is null)
        {
            page.Text($"The folder of this run holds no images to look at{(seen.Calibration is null ? ", no calibration and no classes" : "")}{(summary.Version is null ? ", as it was written by an older version" : "")}: 'weaklink evaluate RUN' measures and keeps them, 'weaklink report RUN' draws them then.");
        }

        LearningCurves(page, RunFolder.EpochsOf(folder), summary);
        Corrupted(page, summary);
        TestTime(page, summary);
        Show(page, results, $"One test image ({(pictures?.Corrupted is [var shown, ..] ? shown.Label : "")}) at severity {pictures?.Severity}", pictures?.Corrupted, example =>
            $"{(example.Corruption is { } corruption ? Words(corruption) : "clean")}: {(example.Predicted == example.Label ? "" : "✗ ")}{example.Predicted}, {Percent(example.Confidence ?? 0, 0)}");
        Subnets(page, summary);
        Attacks(page, summary, seen.Curve);
        Broken(page, results, pictures?.Attacked ?? []);
        Stability(page, summary);
        Calibration(page, seen);
        Classes(page, summary, seen);
        Show(page, results, "Most confused", pictures?.Confused, example => $"{example.Label} taken for {example.Predicted}: {example.Times} times{Origin(example)}");
        Show(page, results, "Hardest images", pictures?.Hardest, example => $"{example.Label} taken for {example.Predicted}, {Percent(example.Confidence ?? 0, 0)} sure{Origin(example)}");
        Later(page, evaluations);
        Origin(page, folder, recipe);
        return page;
    }

    private static string Under(Summary summary, ObjectiveRecipe objective) => string.Create(
        CultureInfo.InvariantCulture,
        $"{summary.Parameters:n0} parameters, {Adversarial(objective)}{(summary.Ews == "off" ? "without EWS" : summary.Ews == "random" ? "EWS with random subnets" : "EWS with searched subnets")}; {summary.Images:n0} test images; {summary.Epochs} epoch{(summary.Epochs == 1 ? "" : "s")}, seed {summary.Seed}, {summary.Format}");

    private static string Adversarial(ObjectiveRecipe objective)
    {
        var name = objective.Kind switch
        {
            ObjectiveKind.Pgd => "PGD training",
            ObjectiveKind.Fgsm => "FGSM training",
            ObjectiveKind.Trades => "TRADES",
            _ => "",
        };
        return name.Length == 0 ? "" : $"{name} against {objective.Threat()}{(objective.WeightPerturbation > 0 ? " with AWP" : "")}, ";
    }

    private static IEnumerable<Headline> Headlines(Summary summary, Summary seen)
    {
        yield return new("clean accuracy", Percent(summary.Clean.Top1), Error(summary.Clean.Top1, summary.Images));
        if (seen.Balance is { IsUneven: true } balance)
        {
            yield return new("balanced accuracy", Percent(balance.Accuracy), $"mean of the classes; always answering '{balance.Largest}' is {Percent(balance.Baseline)} right, {Percent(1.0 / balance.Classes.Count)} balanced");
        }

        if (summary.Corruptions is { } corruptions)
        {
            yield return new("accuracy, corrupted", Percent(corruptions.Accuracy), $"{CorruptionSummary.Counted(corruptions.Error).Count} corruptions, {Number(corruptions.Images)} images each");
        }

        if (summary.Attacks is { } attacks)
        {
            foreach (var (attack, norm, robust) in from attack in attacks from norm in attack.Value select (attack.Key, norm.Key, norm.Value))
            {
                yield return new($"accuracy under {attack}", Percent(robust.Accuracy), $"{norm}, ε = {Epsilon(robust.Eps, norm)}, {Number(robust.Images)} images (clean {Percent(robust.Clean)}), {Error(robust.Accuracy, robust.Images)}");
            }
        }
        else if (seen.Curve is { } curve && curve.Points.MinBy(point => Math.Abs((255 * point.Eps) - HeadlineSize)) is { } point)
        {
            yield return new("accuracy under PGD", Percent(point.Accuracy), $"linf, ε = {Epsilon(point.Eps)}, {curve.Images} images");
        }

        if (summary.Subnets is { } subnets)
        {
            yield return new("weakest subnet found", Percent(subnets.Weakest), $"width {subnets.Width.ToString(CultureInfo.InvariantCulture)}; the whole: {Percent(subnets.Full)}");
        }

        yield return new("calibration error", Percent(summary.Clean.Ece), "|confidence − accuracy|");
        yield return new("trained in", Duration(summary.Seconds.Train), $"measured in {Duration(summary.Seconds.Evaluate)}");
    }

    private static void LearningCurves(Page page, IReadOnlyList<EpochMetrics> epochs, Summary summary)
    {
        if (epochs.Count < 2)
        {
            return;
        }

        page.Section("Learning curves");
        var accuracy = Chart.Create("epoch", "accuracy, %");
        accuracy.CountAcross();
        accuracy.Line(0, "training (augmented)", [.. epochs.Select(epoch => ((double)epoch.Epoch, 100 * epoch.TrainTop1))]);
        Add(accuracy, 1, "held out", epoch => 100 * epoch.ValidationTop1);
        Add(accuracy, 2, "held out, under PGD", epoch => 100 * epoch.ValidationRobustTop1);
        page.Figure(accuracy.Svg(), summary.Validation is { Chosen: false, Top1: var top1 }
            ? $"Accuracy by epoch. The checkpoint that is measured here is the last one: {(top1 < 0 ? "no" : "too few")} images were held out to choose another, and test images never choose."
            : $"Accuracy by epoch. The checkpoint that is measured here is that of epoch {summary.Validation?.Epoch}, chosen by held-out images{(epochs.Any(epoch => epoch.ValidationRobustTop1 is not null) ? " under PGD" : "")}, never by test images.");
        var loss = Chart.Create("epoch", "nats");
        loss.CountAcross();
        loss.Line(0, "objective", [.. epochs.Select(epoch => ((double)epoch.Epoch, epoch.Loss))]);
        page.Figure(loss.Svg(), "Objective of the full network.");
        // Run folders of before 27 November 2026 have 0 where no subnet was taught.
        if (epochs.Any(epoch => epoch.Divergence > 0))
        {
            // Far smaller than the objective: on one axis it would be a line along the bottom.
            var divergence = Chart.Create("epoch", "nats");
            divergence.CountAcross();
            Add(divergence, 1, "divergence of the taught subnets", epoch => epoch.Divergence);
            page.Figure(divergence.Svg(), "Divergence: how far the subnets that the network taught were from it.");
        }

        void Add(OxyPlot.PlotModel plot, int style, string name, Func<EpochMetrics, double?> value)
        {
            var known = epochs.Where(epoch => value(epoch) is not null).Select(epoch => ((double)epoch.Epoch, value(epoch)!.Value)).ToList();
            if (known.Count > 0)
            {
                plot.Line(style, name, known);
            }
        }
    }

    private static void Corrupted(Page page, Summary summary)
    {
        page.Section("Common corruptions");
        if (summary.Corruptions is { } corruptions)
        {
            var severities = corruptions.Severities ?? Corruption.AllSeverities;
            page.Text($"Error in % of {Number(corruptions.Images)} test images under each corruption and severity (Hendrycks and Dietterich 2019), worst corruption first; {Percent(1 - summary.Clean.Top1)} of the clean images are wrong.");
            page.HeatMap(
                ["corruption", .. severities.Select(severity => severity.ToString(CultureInfo.InvariantCulture)), "mean"],
                corruptions.Error.OrderByDescending(pair => pair.Value.Average()).Select(pair => (Words(pair.Key), (IReadOnlyList<double?>)[.. pair.Value.Select(error => (double?)error), pair.Value.Average()])));
            if (corruptions.Mce is { } mce)
            {
                page.Text($"Mean corruption error relative to {corruptions.Reference}: {Percent(mce)}.");
            }

            if (corruptions.Lacks is { } lacks)
            {
                page.Text(lacks);
            }
        }
        else
        {
            page.Text("Not measured by this run; 'weaklink evaluate RUN --corruptions benchmark' does.");
        }
    }

    private static void TestTime(Page page, Summary summary)
    {
        if (summary.TestTime is not { } testTime)
        {
            return;
        }

        page.Section("Test-time statistics");
        page.Text($"Another protocol: batch norms take their statistics from the test images themselves (Schneider et al. 2020; {testTime.Protocol}), so that what is made of an image depends on those that come with it. Nothing else on this page is measured so.");
        page.Table(
            ["accuracy", "with the training's statistics", "with the test images'"],
            [
                ["clean", Percent(summary.Clean.Top1), Percent(testTime.Clean.Top1)],
                .. testTime.Corruptions is not { } adapted ? (string[][])[] :
                [
                    ["corrupted", summary.Corruptions is { } plain ? Percent(plain.Accuracy) : "–", Percent(adapted.Accuracy)],
                    .. adapted.Error.Select(pair => (string[])[Words(pair.Key), summary.Corruptions?.Error.TryGetValue(pair.Key, out var errors) == true ? Percent(1 - errors.Average()) : "–", Percent(1 - pair.Value.Average())]),
                ],
            ]);
    }

    // Pictures beside one another; nothing where there are none.
    private static void Show(Page page, string folder, string heading, IReadOnlyList<Example>? examples, Func<Example, string> caption)
    {
        if (examples is { Count: > 0 })
        {
            page.Subsection(heading);
            page.Pictures(examples.Select(example => (ResultFiles.Picture(folder, example), caption(example))));
        }
    }

    private static void Subnets(Page page, Summary summary)
    {
        if (summary.Subnets is not { } subnets)
        {
            return;
        }

        page.Section("Subnets");
        page.Text($"Accuracy on {Number(subnets.Images)} test images of subnets that keep {Percent(subnets.Width, 0)} of the channels in every block: drawn at random, and found by a search that looked for weak ones in the finished network.");
        page.Text(subnets.Recalibrated > 0
            ? $"Each subnet's batch-norm statistics were estimated anew on {Number(subnets.Recalibrated)} training images: with those of the full network, which it was never meant to run with, a subnet looks far weaker than it is."
            : "Subnets ran with the full network's batch-norm statistics, which are not theirs: with statistics of their own (evaluation.recalibration-images) they would do better.");
        if (subnets.Random.All is { } random && subnets.Proposed.All is { } proposed)
        {
            var plot = Chart.Create("", "accuracy, %");
            plot.NameAcross(["random", "found by search"]);
            plot.Rule("full network", (-0.5, 100 * subnets.Full), (1.5, 100 * subnets.Full));
            plot.Dots(0, "random subnets", Spread(0, random));
            plot.Dots(1, "subnets found by search", Spread(1, proposed));
            page.Figure(plot.Svg(), $"Every dot is a subnet; the line is the full network ({Percent(subnets.Full)}).");
        }

        page.Table(
            ["", "mean", "weakest", "subnets"],
            [["full network", Percent(subnets.Full), "", ""], Row("random", subnets.Random), Row("found by search", subnets.Proposed)]);

        static string[] Row(string name, SpreadSummary spread) => [name, Percent(spread.Mean), Percent(spread.Min), spread.Count.ToString(CultureInfo.InvariantCulture)];

        // Beside one another, so that none hides another.
        static IEnumerable<(double, double)> Spread(int at, IReadOnlyList<double> accuracies) =>
            accuracies.Order().Select((accuracy, i) => (at + (0.7 * (((i + 0.5) / accuracies.Count) - 0.5)), 100 * accuracy));
    }

    private static void Attacks(Page page, Summary summary, RobustnessCurve? curve)
    {
        page.Section("Attacks");
        if (curve is null && summary.Attacks is null)
        {
            page.Text("Not measured by this run; 'weaklink evaluate RUN --attack autoattack' does.");
        }

        if (curve is not null)
        {
            var plot = Chart.Create("largest change of a pixel, ε · 255", "accuracy, %");
            plot.NameAcross([.. curve.Points.Select(point => (255 * point.Eps).ToString("0.##", CultureInfo.InvariantCulture))]);
            plot.Line(0, "under PGD", [.. curve.Points.Select((point, i) => ((double)i, 100 * point.Accuracy))]);
            plot.Limit(0, 100);
            page.Figure(plot.Svg(), $"Accuracy of {curve.Images} test images under PGD with {curve.Steps} steps in the maximum norm, by its size. An upper bound: a stronger attack may find more{(summary.Attacks?.Keys.Any(name => name.StartsWith("autoattack", StringComparison.Ordinal)) == true ? "" : "; measure AutoAttack with 'weaklink evaluate RUN --attack autoattack'")}.");
        }

        if (summary.Attacks is { } attacks)
        {
            page.Table(
                ["attack", "norm", "ε", "images", "clean", "robust"],
                from attack in attacks
                from norm in attack.Value
                from row in norm.Value.Stages.Count == 1
                    ? [(string[])[attack.Key, norm.Key, Epsilon(norm.Value.Eps, norm.Key), Number(norm.Value.Images), Percent(norm.Value.Clean), Percent(norm.Value.Accuracy)]]
                    : norm.Value.Stages.Select(stage => (string[])[$"– {stage.Attack}", "", "", Number(stage.Attacked), "", $"broke {Number(stage.Broken)}"])
                        .Prepend([attack.Key, norm.Key, Epsilon(norm.Value.Eps, norm.Key), Number(norm.Value.Images), Percent(norm.Value.Clean), Percent(norm.Value.Accuracy)])
                select row);
        }
    }

    private static void Broken(Page page, string folder, IReadOnlyList<Example> examples)
    {
        if (examples.Count == 0)
        {
            return;
        }

        page.Subsection("Adversarial examples");
        page.Text("The image, what the smallest successful attack made of it, and the difference, amplified: grey is unchanged, and a colour at its darkest or brightest changed by ε.");
        foreach (var example in examples)
        {
            page.Strip(ResultFiles.Picture(folder, example), $"{example.Label} taken for {example.Predicted} at ε = {Epsilon(example.Eps ?? 0)}");
        }
    }

    private static void Stability(Page page, Summary summary)
    {
        if (summary.Perturbations is not { } stability)
        {
            return;
        }

        page.Section("Stability");
        page.Text($"How often the prediction changes from one frame to the next of {Number(stability.Sequences)} sequences, each of a slowly changing image (Hendrycks and Dietterich 2019): {Percent(stability.FlipProbability)} in the mean.");
        page.Table(
            ["perturbation", "flips", "top-5 distance"],
            stability.Flips.OrderByDescending(pair => pair.Value).Select(pair => (string[])[Words(pair.Key), Percent(pair.Value), stability.Distances[pair.Key].ToString("0.00", CultureInfo.InvariantCulture)]));
    }

    private static void Calibration(Page page, Summary seen)
    {
        if (seen.Calibration is not { Count: > 0 } bins)
        {
            return;
        }

        page.Section("Calibration");
        var plot = Chart.Create("mean confidence, %", "accuracy, %");
        plot.Rule("as sure as right", (0, 0), (100, 100), dashed: true);
        plot.Line(0, "images of about one confidence", [.. bins.Select(bin => (100 * bin.Confidence, 100 * bin.Accuracy))]);
        foreach (var bin in bins)
        {
            plot.Label(bin.Images.ToString("n0", CultureInfo.InvariantCulture), 100 * bin.Confidence, 100 * bin.Accuracy);
        }

        plot.Limit(0, 105);
        (plot.Axes[0].Minimum, plot.Axes[0].Maximum) = (0, 100);
        page.Figure(plot.Svg(height: 400), $"Below the line the network is surer than it is right; the numbers are images. Expected calibration error: {Percent(seen.Clean.Ece)}. {Percent((double)bins.Where(bin => bin.Confidence > 0.9).Sum(bin => bin.Images) / bins.Sum(bin => bin.Images), 0)} of the images have a confidence above 90 %.");
    }

    private static void Classes(Page page, Summary summary, Summary seen)
    {
        if (seen is not { Classes: { } classes, Balance: { } balance })
        {
            return;
        }

        page.Section("Classes");
        var robust = summary.Attacks?.SelectMany(attack => attack.Value.Select(norm => (Name: $"under {attack.Key}", norm.Value.ByClass))).ToList() ?? [];
        page.Text($"Hardest first. Recall is the accuracy on the images of a class, precision the share of right ones among the images taken for it. Balanced accuracy (mean recall): {Percent(balance.Accuracy)}; mean F1: {Percent(balance.F1)}; always answering '{balance.Largest}', the largest class: {Percent(balance.Baseline)} right.");
        page.Table(
            ["class", "recall", "precision", "F1", .. robust.Select(attack => attack.Name), "images", "most often taken for"],
            classes.OrderBy(one => one.Value.Accuracy).Take(MostClasses).Select(one => (string[])[
                one.Key,
                Percent(balance.Classes[one.Key].Recall),
                balance.Classes[one.Key].Precision is { } precision ? Percent(precision) : "–",
                Percent(balance.Classes[one.Key].F1),
                .. robust.Select(attack => attack.ByClass.TryGetValue(one.Key, out var accuracy) ? Percent(accuracy.Robust) : "–"),
                Number(one.Value.Images),
                one.Value.TakenFor.Count == 0 ? "–" : one.Value.TakenFor.MaxBy(other => other.Value) is var (name, times) ? $"{name} ({times})" : "",
            ]));
        if (classes.Values.All(one => one.TakenFor.Count == 0))
        {
            page.Text("No test image is classified wrongly.");
        }
        else if (classes.Count <= MostInMatrix)
        {
            page.Subsection("Confusion matrix");
            page.Text("Each row is a class; its numbers are how many % of its images are taken for which class. Right answers are on the diagonal.");
            var columns = ClassAccuracy.Answers(classes);
            page.HeatMap(
                ["class", .. columns],
                classes.Select(one => (one.Key, (IReadOnlyList<double?>)[.. columns.Select(name => (double?)(name == one.Key ? one.Value.Accuracy : (double)one.Value.TakenFor.GetValueOrDefault(name) / one.Value.Images))])));
        }
    }

    private static void Later(Page page, IReadOnlyList<(string Folder, Summary Summary)> evaluations)
    {
        if (evaluations.Count == 0)
        {
            return;
        }

        page.Section("Later evaluations");
        page.Table(
            ["", "data", "images", "clean", "corrupted", "under attack", "flips", "weakest subnet"],
            evaluations.Select(one => (string[])[
                Path.GetFileName(one.Folder) + (one.Summary.Subnet is null ? "" : ", a subnet"),
                one.Summary.Data,
                one.Summary.Images.ToString("n0", CultureInfo.InvariantCulture),
                Percent(one.Summary.Clean.Top1),
                one.Summary.Corruptions is { } corruptions ? Percent(corruptions.Accuracy) : "–",
                one.Summary.Attacks is { } attacks
                    ? string.Join("; ", from attack in attacks from norm in attack.Value select $"{attack.Key} {norm.Key} {Epsilon(norm.Value.Eps, norm.Key)}: {Percent(norm.Value.Accuracy)}")
                    : "–",
                one.Summary.Perturbations is { } stability ? Percent(stability.FlipProbability) : "–",
                one.Summary.Subnets is { } subnets ? Percent(subnets.Weakest) : "–",
            ]));
        if (evaluations.Any(one => one.Summary.TestTime is not null))
        {
            page.Table(
                ["with test-time statistics", "batch norms", "clean", "corrupted"],
                from one in evaluations
                where one.Summary.TestTime is not null
                let its = one.Summary.TestTime
                select (string[])[Path.GetFileName(one.Folder), its.Protocol, Percent(its.Clean.Top1), its.Corruptions is { } corruptions ? Percent(corruptions.Accuracy) : "–"]);
        }

        page.Code(string.Join('\n', evaluations.Select(one => $"{Path.GetFileName(one.Folder)}: {one.Summary.Command}")));
        foreach (var (folder, warning) in evaluations.SelectMany(one => Warnings(one.Summary).Append(one.Summary.Corruptions?.Lacks).OfType<string>().Select(warning => (one.Folder, warning))))
        {
            page.Warning($"{Path.GetFileName(folder)}: {warning}");
        }
    }

    // Of the measurement, then of its attacks.
    private static IEnumerable<string> Warnings(Summary summary) =>
        (summary.Warnings ?? []).Concat((summary.Attacks?.Values ?? []).SelectMany(norms => norms.Values).SelectMany(attack => attack.Warnings).Distinct());

    private static void Origin(Page page, string folder, Recipe recipe)
    {
        page.Section("Where this comes from");
        if (RunFolder.CommandsOf(folder) is { Count: > 0 } commands)
        {
            page.Text("Made by:");
            page.Code(string.Join('\n', commands));
        }

        page.Text("The same run again, from where it was begun, with the recipe in its folder (RUN):");
        page.Code("weaklink train --recipe RUN/recipe.yaml");
        if (TakenWeights.Of(folder) is { } taken)
        {
            page.Text($"Begun with trained weights: {taken}");
        }

        if (RunFolder.EnvironmentOf(folder) is { } environment)
        {
            page.Table(["environment", ""],
            [
                ["WeakLink", environment.WeakLink],
                [".NET, libtorch", $"{environment.Dotnet}, {environment.Libtorch}"],
                ["system", environment.System],
                ["processor", $"{environment.Processor}, {environment.Cores} cores, {environment.Simd}"],
                ["device", $"{environment.Device}, {environment.Threads} thread{(environment.Threads == 1 ? "" : "s")}"],
            ]);
        }

        page.Details("The resolved recipe", RecipeFile.ToYaml(recipe));
    }

    // Of a file, its class folder and its name.
    private static string Origin(Example example) => example.Name is { } name
        ? $"; {(Path.IsPathFullyQualified(name) ? $"{Path.GetFileName(Path.GetDirectoryName(name))}/{Path.GetFileName(name)}" : name)}"
        : "";

    private static string Words(string name) => name.Replace('_', ' ');

    private static string Number(int count) => count.ToString("n0", CultureInfo.InvariantCulture);

    private static string Percent(double rate, int digits = 1) => string.Create(CultureInfo.InvariantCulture, $"{(100 * rate).ToString($"F{digits}", CultureInfo.InvariantCulture)} %");

    private static string Error(double rate, long images) => images == 0 ? ""
        // Near 0 and 1 a standard error would say that nothing is uncertain.
        : (images < WilsonInterval.FewImages || rate * (1 - rate) * images < FewestForError) && WilsonInterval.Of(rate, images) is var interval ? $"95 % interval {Percent(interval.Low)} to {Percent(interval.High)}"
        : string.Create(CultureInfo.InvariantCulture, $"± {100 * Math.Sqrt(rate * (1 - rate) / images):0.0} (standard error)");

    private static string Epsilon(double size, string norm = "linf") =>
        norm == "linf" ? string.Create(CultureInfo.InvariantCulture, $"{255 * size:0.##}/255") : size.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : TimeSpan.FromSeconds(seconds).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture) + (seconds < 3600 ? " min" : " h");
}
