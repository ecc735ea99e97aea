using System.Globalization;
using TorchSharp;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;

namespace WeakLink.Reports;

/// <summary>report.html of a run: what summary.json says, and what has to be seen.</summary>
public static class RunReport
{
    private const int HardestShown = 14, PairsShown = 7, LargestPicture = 112;

    // Enough for a curve with a standard error of at most four points, in seconds.
    private const int CurveImages = 160;
    private const int ExampleSeverity = 3;

    /// <summary>Measures what the page shows beyond the summary, and writes it.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="trained">The network that the summary is about.</param>
    /// <param name="test">The test images.</param>
    /// <param name="summary">The results.</param>
    /// <param name="path">The page.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops; nothing is written then.</param>
    /// <exception cref="InputException">The page can't be written.</exception>
    public static void Write(
        string folder, TrainedModel trained, Dataset test, Summary summary, string path, torch.Device device, IRunObserver observer, CancellationToken stop = default)
    {
        var (recipe, network) = (trained.Recipe, trained.Network);
        network.eval();
        observer.Begin("report", test.Count, "images");
        var predictions = Predictions.Of(network.call, Loaders.Measuring(recipe, test), device, done => observer.Advance(done), stop);
        var attacked = StratifiedSplit.Limit(test, CurveImages, recipe.Seed);
        observer.Begin("report, attacks", RobustnessCurve.Sizes.Count, "sizes");
        var curve = RobustnessCurve.Measure(network, Loaders.Measuring(recipe, attacked), device, recipe.Seed, done => observer.Advance(done), stop);

        var page = new Page(Path.GetFileName(Path.GetFullPath(folder)), Under(summary, recipe.Objective));
        page.Headlines(Headlines(summary, curve));
        foreach (var warning in summary.Warnings ?? [])
        {
            page.Warning(warning);
        }

        foreach (var warning in (summary.Attacks ?? new Dictionary<string, IReadOnlyDictionary<string, RobustSummary>>()).Values.SelectMany(norms => norms.Values).SelectMany(attack => attack.Warnings).Distinct())
        {
            page.Warning(warning);
        }

        LearningCurves(page, RunFolder.EpochsOf(folder), summary);
        var crop = Loaders.MeasuringCrop(recipe, test);
        Corrupted(page, summary, recipe, trained, test, crop, predictions, device);
        Subnets(page, summary);
        Attacks(page, summary, curve, trained.Classes, crop);
        Stability(page, summary);
        Calibration(page, predictions);
        Classes(page, summary, predictions, trained.Classes, test, crop);
        Origin(page, folder, recipe);
        page.Write(path);
    }

    private static string Under(Summary summary, ObjectiveRecipe objective) => string.Create(
        CultureInfo.InvariantCulture,
        $"{summary.Model}, {summary.Parameters:n0} parameters, {Adversarial(objective)}{(summary.Ews == "off" ? "without EWS" : summary.Ews == "random" ? "EWS with random subnets" : "EWS with searched subnets")}; {summary.Data}, {summary.Images:n0} test images; {summary.Epochs} epoch{(summary.Epochs == 1 ? "" : "s")}, seed {summary.Seed}, {summary.Format}");

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

    private static IEnumerable<Headline> Headlines(Summary summary, RobustnessCurve curve)
    {
        yield return new("clean accuracy", Percent(summary.Clean.Top1), Error(summary.Clean.Top1, summary.Images));
        if (summary.Corruptions is { } corruptions)
        {
            yield return new("accuracy, corrupted", Percent(corruptions.Accuracy), $"{corruptions.Error.Count} corruptions, {corruptions.Images:n0} images each");
        }

        if (summary.Attacks is { } attacks)
        {
            foreach (var (attack, norm, robust) in from attack in attacks from norm in attack.Value select (attack.Key, norm.Key, norm.Value))
            {
                yield return new($"accuracy under {attack}", Percent(robust.Accuracy), $"{norm}, ε = {Epsilon(robust.Eps, norm)}, {robust.Images:n0} images (clean {Percent(robust.Clean)}), {Error(robust.Accuracy, robust.Images)}");
            }
        }
        else
        {
            var (size, accuracy) = curve.Points[1 + RobustnessCurve.Sizes.ToList().IndexOf(1)];
            yield return new("accuracy under PGD", Percent(accuracy), $"linf, ε = {Epsilon(size)}, {curve.Images} images");
        }

        if (summary.Subnets is { } subnets)
        {
            yield return new("weakest subnet found", Percent(Math.Min(subnets.Proposed.Min, subnets.Random.Min)), $"width {subnets.Width.ToString(CultureInfo.InvariantCulture)}; the whole: {Percent(subnets.Full)}");
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
        page.Figure(accuracy.Svg(), $"Accuracy by epoch. The checkpoint that is measured here is that of epoch {summary.Validation?.Epoch}, chosen by held-out images{(epochs.Any(epoch => epoch.ValidationRobustTop1 is not null) ? " under PGD" : "")}, never by test images.");
        var loss = Chart.Create("epoch", "nats");
        loss.CountAcross();
        loss.Line(0, "objective", [.. epochs.Select(epoch => ((double)epoch.Epoch, epoch.Loss))]);
        if (epochs.Any(epoch => epoch.Divergence > 0))
        {
            loss.Line(1, "divergence of the taught subnets", [.. epochs.Select(epoch => ((double)epoch.Epoch, epoch.Divergence))]);
        }

        page.Figure(loss.Svg(height: 300), epochs.Any(epoch => epoch.Divergence > 0)
            ? "Objective of the full network, and how far the subnets that it taught were from it."
            : "Objective of the full network.");

        void Add(OxyPlot.PlotModel plot, int style, string name, Func<EpochMetrics, double?> value)
        {
            var known = epochs.Where(epoch => value(epoch) is not null).Select(epoch => ((double)epoch.Epoch, value(epoch)!.Value)).ToList();
            if (known.Count > 0)
            {
                plot.Line(style, name, known);
            }
        }
    }

    private static void Corrupted(
        Page page, Summary summary, Recipe recipe, TrainedModel trained, Dataset test, CentreCrop crop, IReadOnlyList<Prediction> predictions, torch.Device device)
    {
        page.Section("Common corruptions");
        if (summary.Corruptions is { } corruptions)
        {
            var severities = corruptions.Severities ?? Corruption.AllSeverities;
            page.Text($"Error in % of {corruptions.Images:n0} test images under each corruption and severity (Hendrycks and Dietterich 2019), worst corruption first; {Percent(1 - summary.Clean.Top1)} of the clean images are wrong.");
            page.HeatMap(
                ["corruption", .. severities.Select(severity => severity.ToString(CultureInfo.InvariantCulture)), "mean"],
                corruptions.Error.OrderByDescending(pair => pair.Value.Average()).Select(pair => (Words(pair.Key), (IReadOnlyList<double?>)[.. pair.Value.Select(error => (double?)error), pair.Value.Average()])));
            if (corruptions.Mce is { } mce)
            {
                page.Text($"Mean corruption error relative to {corruptions.Reference}: {Percent(mce)}.");
            }
        }
        else
        {
            page.Text("Not measured by this run; an evaluation with evaluation.corruptions=benchmark does.");
        }

        // One that the network is sure of, where there is one.
        var chosen = predictions.OrderByDescending(prediction => prediction.IsCorrect).ThenByDescending(prediction => prediction.Confidence > 0.9).First();
        var all = CommonCorruptions.Named("benchmark", recipe.Evaluation.FrostTextures.Length > 0 ? recipe.Evaluation.FrostTextures : null);
        var pictures = all.Select(corruption => Picture.Of(new CorruptedDataset(test, crop, corruption, ExampleSeverity, recipe.Seed), chosen.Index)).Prepend(Picture.Of(test, chosen.Index).Centre(crop)).ToList();
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var logits = trained.Network.call(Pixels.ToUnit(torch.tensor(pictures.SelectMany(picture => picture.Planes).ToArray(), [pictures.Count, Dataset.Channels, crop.Height, crop.Width], torch.uint8).to(device)));
        var (confidence, predicted) = FiniteLogits.Require(logits, position => position == 0 ? test.Describe(chosen.Index) : $"{test.Describe(chosen.Index)} under {all[position - 1].Name}").to(torch.float32).softmax(1).max(1);
        var (confidences, classes) = (confidence.cpu().data<float>().ToArray(), predicted.cpu().data<long>().ToArray());
        page.Subsection($"One test image ({trained.Classes[chosen.Label]}) at severity {ExampleSeverity}");
        page.Pictures(pictures.Zip(all.Select(corruption => Words(corruption.Name)).Prepend("clean")).Select((pair, i) => (
            pair.First.ToPng(LargestPicture),
            $"{pair.Second}: {(classes[i] == chosen.Label ? "" : "✗ ")}{trained.Classes[(int)classes[i]]}, {Percent(confidences[i], 0)}")));
    }

    private static void Subnets(Page page, Summary summary)
    {
        if (summary.Subnets is not { } subnets)
        {
            return;
        }

        page.Section("Subnets");
        page.Text($"Accuracy on {subnets.Images:n0} test images of subnets that keep {Percent(subnets.Width, 0)} of the channels in every block: drawn at random, and found by a search that looked for weak ones in the finished network.");
        page.Text(subnets.Recalibrated > 0
            ? $"Each subnet's batch-norm statistics were estimated anew on {subnets.Recalibrated:n0} training images: with those of the full network, which it was never meant to run with, a subnet looks far weaker than it is."
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

    private static void Attacks(Page page, Summary summary, RobustnessCurve curve, IReadOnlyList<string> classes, CentreCrop crop)
    {
        page.Section("Attacks");
        var plot = Chart.Create("largest change of a pixel, ε · 255", "accuracy, %");
        plot.NameAcross([.. curve.Points.Select(point => (255 * point.Epsilon).ToString("0.##", CultureInfo.InvariantCulture))]);
        plot.Line(0, "under PGD", [.. curve.Points.Select((point, i) => ((double)i, 100 * point.Accuracy))]);
        plot.Limit(0, 100);
        page.Figure(plot.Svg(height: 320), $"Accuracy of {curve.Images} test images under PGD with {RobustnessCurve.Steps} steps in the maximum norm, by its size. An upper bound: a stronger attack may find more{(summary.Attacks?.Keys.Any(name => name.StartsWith("autoattack", StringComparison.Ordinal)) == true ? "" : "; an evaluation with evaluation.attack=autoattack would tell")}.");
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

        if (curve.Examples.Count > 0)
        {
            page.Subsection("Adversarial examples");
            page.Text("The image, what the smallest successful attack made of it, and the difference, amplified.");
            foreach (var example in curve.Examples)
            {
                using var scope = torch.NewDisposeScope();
                long[] shape = [Dataset.Channels, crop.Height, crop.Width];
                page.Strip(
                    AdversarialSheet.Draw(Pixels.ToUnit(torch.tensor(example.Image, shape, torch.uint8)), torch.tensor(example.Adversarial, shape), example.Threat),
                    $"{classes[example.Label]} taken for {classes[example.Predicted]} at ε = {Epsilon(example.Threat.Epsilon)}");
            }
        }
    }

    private static void Stability(Page page, Summary summary)
    {
        if (summary.Perturbations is not { } stability)
        {
            return;
        }

        page.Section("Stability");
        page.Text($"How often the prediction changes from one frame to the next of {stability.Sequences:n0} sequences, each of a slowly changing image (Hendrycks and Dietterich 2019): {Percent(stability.FlipProbability)} in the mean.");
        page.Table(
            ["perturbation", "flips", "top-5 distance"],
            stability.Flips.OrderByDescending(pair => pair.Value).Select(pair => (string[])[Words(pair.Key), Percent(pair.Value), stability.Distances[pair.Key].ToString("0.00", CultureInfo.InvariantCulture)]));
    }

    private static void Calibration(Page page, IReadOnlyList<Prediction> predictions)
    {
        var meter = new CalibrationMeter();
        foreach (var prediction in predictions)
        {
            meter.Add(prediction.Confidence, prediction.IsCorrect);
        }

        page.Section("Calibration");
        var bins = meter.Bins();
        var plot = Chart.Create("mean confidence, %", "accuracy, %");
        plot.Rule("as sure as right", (0, 0), (100, 100), dashed: true);
        plot.Line(0, "images of about one confidence", [.. bins.Select(bin => (100 * bin.Confidence, 100 * bin.Accuracy))]);
        plot.Limit(0, 100);
        (plot.Axes[0].Minimum, plot.Axes[0].Maximum) = (0, 100);
        page.Figure(plot.Svg(520, 420), $"Below the line the network is surer than it is right. Expected calibration error: {Percent(meter.ExpectedError())}. {Percent((double)bins.Where(bin => bin.Confidence > 0.9).Sum(bin => bin.Images) / predictions.Count, 0)} of the images have a confidence above 90 %.");
    }

    private static void Classes(Page page, Summary summary, IReadOnlyList<Prediction> predictions, IReadOnlyList<string> classes, Dataset test, CentreCrop crop)
    {
        page.Section("Classes");
        var robust = summary.Attacks?.SelectMany(attack => attack.Value.Select(norm => (Name: $"under {attack.Key}", norm.Value.ByClass))).ToList() ?? [];
        page.Text("Hardest first.");
        page.Table(
            ["class", "images", "accuracy", .. robust.Select(attack => attack.Name), "most often taken for"],
            predictions.GroupBy(prediction => prediction.Label).OrderBy(group => group.Average(Right)).Take(50).Select(group =>
            {
                var wrong = group.Where(prediction => !prediction.IsCorrect).GroupBy(prediction => prediction.Predicted).MaxBy(other => other.Count());
                return (string[])[
                    classes[group.Key],
                    Number(group.Count()),
                    Percent(group.Average(Right)),
                    .. robust.Select(attack => attack.ByClass.TryGetValue(classes[group.Key], out var accuracy) ? Percent(accuracy.Robust) : "–"),
                    wrong is null ? "–" : $"{classes[wrong.Key]} ({wrong.Count()})",
                ];
            }));
        var wrong = predictions.Where(prediction => !prediction.IsCorrect).ToList();
        if (wrong.Count == 0)
        {
            page.Text("No test image is classified wrongly.");
            return;
        }

        page.Subsection("Most confused");
        page.Pictures(wrong.GroupBy(prediction => (prediction.Label, prediction.Predicted)).OrderByDescending(pair => pair.Count()).Take(PairsShown)
            .Select(pair => (Seen(pair.MaxBy(prediction => prediction.Confidence)), $"{classes[pair.Key.Label]} taken for {classes[pair.Key.Predicted]}: {pair.Count()} times")));
        page.Subsection("Hardest images");
        page.Pictures(wrong.OrderBy(prediction => prediction.LabelProbability).Take(HardestShown)
            .Select(prediction => (Seen(prediction), $"{classes[prediction.Label]} taken for {classes[prediction.Predicted]}, {Percent(prediction.Confidence, 0)} sure")));

        byte[] Seen(Prediction prediction) => Picture.Of(test, prediction.Index).Centre(crop).ToPng(LargestPicture);
        static double Right(Prediction prediction) => prediction.IsCorrect ? 1 : 0;
    }

    private static void Origin(Page page, string folder, Recipe recipe)
    {
        page.Section("Where this comes from");
        if (RunFolder.CommandsOf(folder) is { Count: > 0 } commands)
        {
            page.Text("Made by:");
            page.Code(string.Join('\n', commands));
        }

        page.Text("The same run again, from the recipe in its folder:");
        page.Code($"weaklink train --recipe {Path.GetFileName(Path.GetFullPath(folder))}/recipe.yaml");
        if (RunFolder.EnvironmentOf(folder) is { } environment)
        {
            page.Table(["environment", ""],
            [
                ["WeakLink", environment.WeakLink],
                [".NET, libtorch", $"{environment.Dotnet}, {environment.Libtorch}"],
                ["system", environment.System],
                ["processor", $"{environment.Processor}, {environment.Cores} cores, {environment.Simd}"],
                ["device", $"{environment.Device}, {environment.Threads} threads"],
            ]);
        }

        page.Details("The resolved recipe", RecipeFile.ToYaml(recipe));
    }

    private static string Words(string name) => name.Replace('_', ' ');

    private static string Number(int count) => count.ToString("n0", CultureInfo.InvariantCulture);

    private static string Percent(double rate, int digits = 1) => string.Create(CultureInfo.InvariantCulture, $"{(100 * rate).ToString($"F{digits}", CultureInfo.InvariantCulture)} %");

    private static string Error(double rate, long count) => string.Create(CultureInfo.InvariantCulture, $"± {100 * Math.Sqrt(rate * (1 - rate) / count):0.0} (standard error)");

    private static string Epsilon(double size, string norm = "linf") =>
        norm == "linf" ? string.Create(CultureInfo.InvariantCulture, $"{255 * size:0.##}/255") : size.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : TimeSpan.FromSeconds(seconds).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture) + (seconds < 3600 ? " min" : " h");
}
