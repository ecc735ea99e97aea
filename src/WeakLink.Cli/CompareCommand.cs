using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using WeakLink.Comparisons;
using WeakLink.Experiments;
using WeakLink.Processes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;

namespace WeakLink.Cli;

/// <summary><c>weaklink compare</c>: several recipes side by side, with seeds enough to tell a difference from luck.</summary>
internal static class CompareCommand
{
    private const int DefaultSeeds = 3;

    // Far from those that people compare with.
    private const string DefaultChoosingSeeds = "100-101";
    private const string EqualEpochs = "epochs", EqualCompute = "compute";
    private const string RunsFolder = "runs";

    // A folder's name stays readable with so many in it.
    private const int MostNames = 3;
    private const int MostSeeds = 1000;

    public static Command Create(ProcessGroup processes)
    {
        var what = new Argument<string[]>("RECIPE|RUN")
        {
            Description = "What to compare: recipes by name or path, varied and named as in plain=shapes,ews.search=off (an item without '=' continues the value before it; of values with '|' between the best on validation images is compared), or finished run folders, which are put together by their recipe or by a name in front, as in plain=runs/a.",
            Arity = ArgumentArity.OneOrMore,
        };
        var seeds = new Option<string?>("--seeds") { Description = $"Train every recipe with the seeds 0 to N-1 (default {DefaultSeeds}; one seed can't tell a difference from luck), or with those named, as in 200-204 or 7,9.", HelpName = "N|SEEDS" };
        var choosing = new Option<string?>("--choose-with") { Description = $"The seeds that choose between values with '|' between them (default {DefaultChoosingSeeds}); they must not be among --seeds.", HelpName = "SEEDS" };
        var budget = new Option<string>("--budget") { Description = $"What is equal: {EqualEpochs} (those of each recipe), or {EqualCompute}: an arm whose epochs take twice the baseline's compute trains half as many; what a step costs is measured first.", HelpName = $"{EqualEpochs}|{EqualCompute}", DefaultValueFactory = _ => EqualEpochs };
        var baseline = new Option<string?>("--baseline") { Description = "Compare the others with this one (default: the first).", HelpName = "NAME" };
        var data = CommonOptions.Data("The data of all recipes: shapes, cifar10, cifar100, a folder with one folder of images a class, or an archive.");
        var set = CommonOptions.Set();
        var output = new Option<string?>("--out") { Description = $"Where runs, comparison.json and report.html go (default: one under {RunsFolder}/ with the names in it).", HelpName = "DIR" };
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("compare", "Train several recipes with equal seeds, or take finished runs, and report the differences with confidence intervals and costs. The same command again goes on where it stopped.", """
            weaklink compare plain=shapes,ews.search=off ews=shapes                  two recipes, three seeds each
            weaklink compare plain=small ews=small,ews.search=policy --data photos/ --budget compute
            weaklink compare "plain=small,training.epochs=40|80|160" ews=small,ews.search=policy,training.epochs=160 --data photos/ --budget compute --seeds 200-204
            weaklink compare crop=small mix=small,augmentation.sequence=crop,flip,mixup --data photos/ --seeds 5 --out runs/mixing
            weaklink compare my.yaml other.yaml --data cifar10 --set training.epochs=20 --set training.precision=bf16
            weaklink compare runs/plain-* runs/ews-*                                 runs that are finished
            weaklink compare old=runs/photos-1 old=runs/photos-2 new=runs/photos-3 new=runs/photos-4 --json
            """)
        { what, seeds, baseline, budget, choosing, data, set, output, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            // Where they were named decides their order, and so the baseline.
            var parts = parsed.GetValue(what)!.Select((text, position) => (Position: position, Run: NamedRun.Parse(text), Text: text)).ToList();
            var arms = parts.Where(part => part.Run is null).Select(part => (part.Position, Arm: Arm.Parse(part.Text))).ToList();
            var runs = parts.Where(part => part.Run is not null).Select(part => (part.Position, Run: part.Run!)).ToList();
            var judging = parsed.GetValue(seeds) is { } asked ? Seeds("--seeds", asked) : [.. Enumerable.Range(0, DefaultSeeds)];
            string[] common = [.. parsed.GetValue(set)!, .. parsed.GetValue(data) is { } source ? (string[])[$"data.source={source}"] : []];
            if (arms.Count == 0 && (common.Length > 0 || (parsed.GetValue(seeds) ?? parsed.GetValue(choosing)) is not null || parsed.GetValue(budget) != EqualEpochs))
            {
                throw new InputException("Finished runs keep their seeds and recipes: leave out --seeds, --data, --set, --budget and --choose-with, or name a recipe to train.");
            }

            var variants = arms.Select(one => ArmVariants.Of(one.Arm)).ToList();
            var equalCompute = parsed.GetValue(budget) switch
            {
                EqualCompute => true,
                EqualEpochs => false,
                var other => throw new InputException($"--budget is '{other}': choose {EqualEpochs} or {EqualCompute}."),
            };
            var choosers = Seeds("--choose-with", parsed.GetValue(choosing) ?? DefaultChoosingSeeds);
            if (variants.Any(arm => arm.Variants.Count > 1) && choosers.Intersect(judging).ToList() is [var both, ..])
            {
                throw new InputException($"Seed {both} would both choose a variant and judge it, and luck would count twice: give --choose-with or --seeds others.");
            }

            var loaded = ComparedArm.Group(runs.Select(one => one.Run)).Select(arm => (Position: runs.Where(run => arm.Runs.Any(one => one.Folder == run.Run.Folder)).Min(run => run.Position), Arm: arm)).ToList();
            string[] names = [.. arms.Select(one => (one.Position, one.Arm.Name)).Concat(loaded.Select(one => (one.Position, one.Arm.Name))).OrderBy(one => one.Position).Select(one => one.Name)];
            Comparison.CheckNames(names, parsed.GetValue(baseline));
            var folder = parsed.GetValue(output) ?? DefaultFolder(names);
            if (File.Exists(folder) || RunFolder.IsRun(folder))
            {
                throw new InputException($"--out {folder} is {(File.Exists(folder) ? "a file" : "a run")}: choose a folder of its own for the comparison.");
            }

            ArmChoice choice;
            IReadOnlyList<string> unfinished;
            try
            {
                if (equalCompute && variants.Count > 0)
                {
                    var reference = parsed.GetValue(baseline) ?? names[0];
                    variants = [.. variants.Any(arm => arm.Name == reference)
                        ? processes.LeaderFirst(() => ComputeBudget.Share(variants, reference, common, folder, screen, interruption.Token))
                        : throw new InputException($"--budget {EqualCompute} measures what a step of the baseline costs, and {reference} is a finished run: choose a recipe as --baseline.")];
                }

                // Each passes over what another trains, and comes back when all are done.
                choice = ArmChoice.Of(variants, common, choosers, folder, screen, interruption.Token);
                processes.Barrier();
                choice = processes.Size == 1 ? choice : ArmChoice.Of(variants, common, choosers, folder, screen, interruption.Token);
                unfinished = choice.Unfinished.Count > 0 ? choice.Unfinished : ComparisonTraining.Train(choice.Arms, common, judging, folder, screen, interruption.Token);
                processes.Barrier();
                unfinished = [.. unfinished.Where(run => !RunFolder.IsFinished(run))];
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine("Stopped and saved. The same command goes on from there.");
                throw;
            }

            if (!processes.Leads)
            {
                return ExitCode.Success;
            }

            if (unfinished.Count > 0)
            {
                screen.Line($"Another process had taken what is missing: {string.Join(", ", unfinished)}. The last one reports the comparison, and so does the same command later, which trains what was not finished.");
                if (parsed.GetValue(json))
                {
                    Console.Out.WriteLine(JsonSerializer.Serialize(new { unfinished }, Json.Indented));
                }

                return ExitCode.Success;
            }

            var trained = ComparisonTraining.Read(choice.Arms, judging, folder).Zip(arms, (arm, one) => (one.Position, Arm: arm));
            var comparison = Comparison.Of([.. trained.Concat(loaded).OrderBy(one => one.Position).Select(one => one.Arm)], parsed.GetValue(baseline), choice.Findings);
            ComparisonReport.Write(comparison, folder, CommandLine.Current);
            Show(screen, comparison);
            screen.Line($"The page: {Path.Combine(folder, ComparisonReport.PageName)}");
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(comparison.ToJson(CommandLine.Current));
            }

            return ExitCode.Success;
        });
        return command;
    }

    // "5" are five, from 0; "200-204" and "7,9" are these.
    private static List<long> Seeds(string option, string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var seeds = new List<long>();
        foreach (var ends in parts.Select(part => part.Split('-')))
        {
            var numbers = ends.Select(end => long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong()).ToList();
            var (first, last) = (parts, numbers) is ([_], [var many]) ? (0, many - 1) : (numbers[0], numbers[^1]);
            if (numbers.Count > 2 || last < first || last - first >= MostSeeds)
            {
                throw Wrong();
            }

            seeds.AddRange(Enumerable.Range(0, (int)(last - first + 1)).Select(next => first + next));
        }

        return seeds.Distinct().Count() == seeds.Count ? seeds : throw Wrong();

        InputException Wrong() => new($"{option} is '{text}': give how many (5 are the seeds 0 to 4), or which, each once, as in 200-204 or 7,9.");
    }

    private static void Show(Screen screen, Comparison comparison)
    {
        screen.Line();
        screen.Line($"  Mean ± standard deviation over seeds{(comparison.Others.Any() ? $"; difference from {comparison.Baseline.Name}, 95 % confidence interval" : "")}");
        var rows = new List<IReadOnlyList<string>>();
        foreach (var metric in comparison.Metrics.Where(metric => metric.Kind != MetricKind.Corruption))
        {
            rows.Add([metric.Title, "", "", ""]);
            rows.AddRange(comparison.Arms.Select(arm => Row(comparison, arm, metric)));
        }

        screen.Table(["", "mean", "difference", ""], rows);
        foreach (var sentence in comparison.Findings().Concat(comparison.Notes()))
        {
            screen.Line(sentence);
        }
    }

    private static IReadOnlyList<string> Row(Comparison comparison, ComparedArm arm, Metric metric)
    {
        var difference = arm == comparison.Baseline ? null : comparison.Difference(arm, metric);
        return
        [
            $"  {arm.Name}",
            metric.Show(arm.Spread(metric)),
            metric.ShowWithInterval(difference),
            Comparison.Reading(metric, difference),
        ];
    }

    private static string DefaultFolder(string[] names) => Path.Combine(RunsFolder, names.Length switch
    {
        1 => $"{Arm.FolderFor(names[0])}-seeds",
        <= MostNames => string.Join("-vs-", names.Select(Arm.FolderFor)),
        _ => $"{Arm.FolderFor(names[0])}-vs-{names.Length - 1}-others",
    });
}
