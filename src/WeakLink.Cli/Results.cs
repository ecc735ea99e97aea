using System.Globalization;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Evaluation;
using WeakLink.Runs;

namespace WeakLink.Cli;

/// <summary>What was measured, as tables.</summary>
internal static class Results
{
    // More would not be read.
    private const int MostClasses = 20;

    // Wider matrices do not fit beside their names.
    private const int MostInMatrix = 12;

    public static void Show(Screen screen, Summary summary)
    {
        var uneven = summary.Balance is { IsUneven: true } balance ? balance : null;
        var few = summary.Images is > 0 and < WilsonInterval.FewImages;
        // Always right where there are no more classes.
        var top5 = summary.Classes is not { Count: <= 5 };
        string[] columns = ["", "top-1", .. few ? (string[])["95 % interval"] : [], .. uneven is null ? (string[])[] : [$"always '{uneven.Largest}'", "balanced"], .. top5 ? (string[])["top-5"] : [], "NLL", "ECE"];
        var rows = new List<IReadOnlyList<string>>
        {
            Row($"clean, {summary.Images:n0} test images", summary.Clean),
        };
        if (summary is { Last: { } last, Validation: { } validation } && validation.Epoch != summary.Epochs)
        {
            rows[0] = Row($"clean, best checkpoint (epoch {validation.Epoch})", summary.Clean);
            rows.Add(Row("clean, last epoch", last));
        }

        if (summary.PresentClasses is { } present)
        {
            rows.Add(Row($"clean, among the {present.Classes:n0} classes of the test set", present.Clean));
        }

        screen.Table(columns, rows);
        foreach (var warning in (summary.Warnings ?? []).Append(summary.Balance?.Doubt).OfType<string>())
        {
            screen.Line("  Warning: " + warning);
        }

        ShowClasses(screen, summary);

        if (summary.Corruptions is { } corruptions)
        {
            ShowCorruptions(screen, corruptions);
        }

        if (summary.TestTime is { } testTime)
        {
            screen.Line();
            screen.Line($"  With batch-norm statistics of the test images ({testTime.Protocol}), another protocol than the rest:");
            screen.Table(columns, [Row($"clean, {summary.Images:n0} test images", testTime.Clean)]);
            if (testTime.Corruptions is { } adapted)
            {
                ShowCorruptions(screen, adapted);
            }
        }

        foreach (var (attack, norms) in summary.Attacks ?? new Dictionary<string, IReadOnlyDictionary<string, RobustSummary>>())
        {
            foreach (var (norm, robust) in norms)
            {
                ShowAttack(screen, attack, norm, robust);
            }
        }

        if (summary.Perturbations is { } perturbations)
        {
            ShowPerturbations(screen, perturbations);
        }

        if (summary.Subnets is { } subnets)
        {
            screen.Table(
                [FormattableString.Invariant($"subnets of width {subnets.Width}, {subnets.Images:n0} test images"), "mean top-1", "weakest"],
                [
                    ["full network", Screen.Percent(subnets.Full), ""],
                    [$"{subnets.Random.Count} random", Screen.Percent(subnets.Random.Mean), Screen.Percent(subnets.Random.Min)],
                    [$"{subnets.Proposed.Count} proposed by a search", Screen.Percent(subnets.Proposed.Mean), Screen.Percent(subnets.Proposed.Min)],
                ]);
        }

        IReadOnlyList<string> Row(string name, CleanSummary clean) =>
        [
            name,
            Screen.Percent(clean.Top1),
            .. few ? (string[])[Interval(WilsonInterval.Of(clean.Top1, summary.Images))] : [],
            // The confusion matrix is that of the first row.
            .. uneven is null ? (string[])[] : [Screen.Percent(uneven.Baseline), ReferenceEquals(clean, summary.Clean) ? Screen.Percent(uneven.Accuracy) : ""],
            .. top5 ? (string[])[Screen.Percent(clean.Top5)] : [],
            FormattableString.Invariant($"{clean.Nll:0.000}"),
            FormattableString.Invariant($"{clean.Ece:0.000}"),
        ];
    }

    private static void ShowMatrix(Screen screen, IReadOnlyDictionary<string, ClassAccuracy> classes)
    {
        var answers = ClassAccuracy.Answers(classes);
        if (answers.Count > MostInMatrix)
        {
            return;
        }

        screen.Line("  Images of each class (down) by what they are taken for (across, by number):");
        screen.Table(
            ["", .. Enumerable.Range(1, answers.Count).Select(Number)],
            answers.Select((name, i) => (IReadOnlyList<string>)[$"{Number(i + 1)} {name}", .. answers.Select(answer => !classes.TryGetValue(name, out var one) ? ""
                : Number(answer == name ? one.Images - one.TakenFor.Values.Sum() : one.TakenFor.GetValueOrDefault(answer)))]));

        static string Number(int count) => FormattableString.Invariant($"{count}");
    }

    private static string TableName(string table) => table switch
    {
        "cifar" => "CIFAR-10-C",
        "tinyImageNet" => "Tiny ImageNet-C",
        "imageNet" => "ImageNet-C",
        _ => table,
    };

    private static string Interval(WilsonInterval interval) => $"{Screen.Percent(interval.Low)} - {Screen.Percent(interval.High)}";

    private static void ShowClasses(Screen screen, Summary summary)
    {
        if (summary is { Balance: { } balance, Classes: { Count: <= MostClasses } classes })
        {
            screen.Table(
                ["class", "images", "precision", "recall", "F1", "most often taken for"],
                balance.Classes.Select(one => (IReadOnlyList<string>)[
                    one.Key,
                    FormattableString.Invariant($"{classes[one.Key].Images:n0}"),
                    one.Value.Precision is { } precision ? Screen.Percent(precision) : "-",
                    Screen.Percent(one.Value.Recall),
                    Screen.Percent(one.Value.F1),
                    classes[one.Key].TakenFor is { Count: > 0 } others && others.MaxBy(other => other.Value) is var (name, times) ? FormattableString.Invariant($"{name} ({times:n0})") : "-",
                ]));
            ShowMatrix(screen, classes);
        }
    }

    private static void ShowCorruptions(Screen screen, CorruptionSummary corruptions)
    {
        var severities = corruptions.Severities ?? Corruption.AllSeverities;
        screen.Line(corruptions.Table is { } table
            ? $"  Top-1 under common corruptions, made of {corruptions.Images:n0} test images with the severities of {TableName(table)}:"
            : $"  Top-1 under common corruptions, {corruptions.Images:n0} images each of {corruptions.Source}:");
        screen.Table(
            ["severity", "mean", .. severities.Select(severity => severity.ToString(CultureInfo.InvariantCulture))],
            corruptions.Error.Select(pair => (IReadOnlyList<string>)[pair.Key, Screen.Percent(1 - pair.Value.Average()), .. pair.Value.Select(error => Screen.Percent(1 - error))]));
        screen.Line($"  Corrupted accuracy {Screen.Percent(corruptions.Accuracy)} (mean corruption error {Screen.Percent(1 - corruptions.Accuracy)}, not normalised)"
            + (corruptions is { Mce: { } mce, RelativeMce: { } relative } ? $"; mCE {Screen.Percent(mce)}, relative mCE {Screen.Percent(relative)}, both relative to {corruptions.Reference}" : ""));
        if (corruptions.Lacks is { } lacks)
        {
            screen.Line($"  {lacks}");
        }
    }

    public static void ShowAttack(Screen screen, string attack, string norm, RobustSummary robust)
    {
        var eps = new ThreatModel(KnownAttacks.NormNamed(norm), robust.Eps);
        screen.Line(FormattableString.Invariant($"  Robust accuracy under {attack}, {eps}, {robust.Images:n0} test images, seed {robust.Seed}: {Screen.Percent(robust.Accuracy)}{(robust is { Interval: { } interval, Images: < WilsonInterval.FewImages } ? $" (95 % interval {Interval(interval)})" : "")}, clean {Screen.Percent(robust.Clean)}"));
        screen.Table(
            ["attack", "attacked", "broken", "seconds", "forward", "backward"],
            robust.Stages.Select(stage => (IReadOnlyList<string>)[
                stage.Attack,
                FormattableString.Invariant($"{stage.Attacked:n0}"),
                FormattableString.Invariant($"{stage.Broken:n0}"),
                FormattableString.Invariant($"{stage.Seconds:n1}"),
                FormattableString.Invariant($"{stage.Forwards:n0}"),
                FormattableString.Invariant($"{stage.Backwards:n0}")]));
        if (robust.ByClass.Count <= MostClasses)
        {
            screen.Table(["class", "clean", "robust"], robust.ByClass.Select(pair => (IReadOnlyList<string>)[pair.Key, Screen.Percent(pair.Value.Clean), Screen.Percent(pair.Value.Robust)]));
        }

        foreach (var warning in robust.Warnings)
        {
            screen.Line("  Warning: " + warning);
        }
    }

    private static void ShowPerturbations(Screen screen, PerturbationSummary perturbations)
    {
        screen.Line($"  Stability under perturbation sequences, {perturbations.Sequences:n0} of each, {(perturbations.Source == "generated" ? "made of test images" : $"read from {perturbations.Source}")}:");
        screen.Table(
            ["", "flips", "top-5 distance"],
            perturbations.Flips.Select(pair => (IReadOnlyList<string>)[pair.Key, Screen.Percent(pair.Value), FormattableString.Invariant($"{perturbations.Distances[pair.Key]:0.000}")]));
        screen.Line(FormattableString.Invariant($"  Mean flip probability {Screen.Percent(perturbations.FlipProbability)}, mean top-5 distance {perturbations.Top5Distance:0.000}")
            + (perturbations is { Mfr: { } mfr, Mt5d: { } mt5d } ? $"; mFR {Screen.Percent(mfr)}, mT5D {Screen.Percent(mt5d)}, both relative to {perturbations.Reference}" : ""));
    }
}
