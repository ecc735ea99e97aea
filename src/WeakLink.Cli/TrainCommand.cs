using System.CommandLine;
using System.Globalization;
using WeakLink.Experiments;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Cli;

/// <summary><c>weaklink train</c>: the main job.</summary>
internal static class TrainCommand
{
    private const string RunsFolder = "runs";
    private const string EmbeddedRecipe = "shapes";
    private const string OwnDataRecipe = "small";
    private const string WeightsRecipe = "fine-tune";

    public static Command Create(ProcessGroup processes)
    {
        var data = CommonOptions.Data("shapes (the embedded data set, the default), cifar10, cifar100, a folder with one folder of images a class, an archive of one, a list of images (.csv, .jsonl), or packed images (weaklink data pack).");
        var extra = new Option<string[]>("--extra-data") { Description = "Further training images (DeepAugment's, generated, pseudo-labelled): a folder with one folder of images a class or with image.npy and label.npy, or an archive of one; may be repeated.", HelpName = "DIR", DefaultValueFactory = _ => [] };
        var fraction = new Option<double?>("--extra-fraction") { Description = "Part of every batch that comes from --extra-data (default: its images are added to the others).", HelpName = "0.5" };
        var recipe = new Option<string?>("--recipe") { Description = $"A recipe by name or path: {string.Join(", ", RecipeFile.Names)}. Without it: {WeightsRecipe} with --weights, {EmbeddedRecipe} for the embedded data, {OwnDataRecipe} for others.", HelpName = "R" };
        var weights = new Option<string?>("--weights") { Description = "Start from a trained network: a run folder, a file (a checkpoint or an export of WeakLink's, safetensors, PyTorch's .pt or .pth, ONNX), or resnet20-imagenet (the network of a NuGet package; docs/fine-tuning.md).", HelpName = "FILE|RUN|NAME" };
        var set = CommonOptions.Set();
        var ews = new Option<string?>("--ews") { Description = "Who proposes the weak subnets to teach (ews.search in docs/recipes.md); off: no EWS.", HelpName = string.Join('|', Enum.GetNames<SearchKind>()).ToLowerInvariant() };
        var seed = new Option<long?>("--seed") { Description = "Seed of every random draw (default 0).", HelpName = "N" };
        var output = new Option<string?>("--out") { Description = $"The run folder (default: a new one under {RunsFolder}/).", HelpName = "DIR" };
        var resume = new Option<bool>("--resume") { Description = $"Continue the run in --out DIR, or the newest one under {RunsFolder}/." };
        var skipBad = new Option<bool>("--skip-bad-images") { Description = "Count and pass over unreadable images instead of stopping." };
        var quick = CommonOptions.Quick();
        var exact = CommonOptions.Exact();
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("train", "Train a robust classifier, with Enhancing Weak Subnets (EWS) or without, measure it, and leave a run folder.", """
            weaklink train                                         the embedded data set, with EWS, four to eight minutes on two cores
            weaklink train --data photos/                          your own images, one folder a class
            weaklink train --data cifar10 --recipe cifar-small --ews off --seed 1
            weaklink train --data photos/ --ews policy --set training.epochs=60 --set ews.width=0.8
            weaklink train --data photos/ --quick                  measure little when it has trained
            weaklink train --data cifar10 --recipe cifar-augmix --extra-data deepaugment/ --extra-data generated/
            weaklink train --data photos/ --weights resnet50.pth   fine-tune a network that is trained already
            weaklink train --resume --out runs/photos-1            continue after a Ctrl-C or a crash
            """)
        { data, extra, fraction, recipe, weights, set, ews, seed, output, resume, skipBad, quick, exact, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            var continued = parsed.GetValue(resume);
            var overrides = Overrides(
                [.. parsed.GetValue(quick) ? EvaluationRecipe.Quick : [], .. parsed.GetValue(set)!],
                ("data.source", parsed.GetValue(data)),
                ("data.extra", parsed.GetValue(extra) is { Length: > 0 } folders ? RecipeKeys.ListText(folders) : null),
                ("data.extra-fraction", parsed.GetValue(fraction)?.ToString(CultureInfo.InvariantCulture)),
                ("model.weights", parsed.GetValue(weights)),
                ("ews.search", parsed.GetValue(ews)),
                ("seed", parsed.GetValue(seed)?.ToString(CultureInfo.InvariantCulture)),
                ("evaluation.exact", parsed.GetValue(exact) ? "true" : null),
                ("data.skip-bad-images", parsed.GetValue(skipBad) ? "true" : null));
            if (continued && (overrides.Count > 0 || parsed.GetValue(recipe) is not null))
            {
                throw new InputException("A resumed run keeps its recipe: leave out --data, --extra-data, --extra-fraction, --recipe, --weights, --set, --ews, --seed, --quick, --exact and --skip-bad-images.");
            }

            var chosen = continued ? new Recipe() : RecipeFile.Load(parsed.GetValue(recipe) ?? DefaultRecipe(overrides), overrides);
            using var reserved = processes.Leads && parsed.GetValue(output) is null && !continued ? NewRun(chosen) : null;
            var folder = processes.From(processes.Leads ? reserved?.Folder ?? parsed.GetValue(output) ?? NewestRun() : "");
            Summary summary;
            if (continued && processes.From(RunFolder.IsFinished(folder)))
            {
                summary = Summary.Read(folder);
                screen.Line($"The run in {folder} is complete, {summary.Epochs} of {summary.Epochs} epoch{(summary.Epochs == 1 ? "" : "s")}: these are its results. (evaluate measures it again.)");
                var shown = Show(summary);
                // A run stopped between its results and its page, or the page was deleted.
                if (processes.Leads && !File.Exists(RunFolder.ReportOf(folder)))
                {
                    RunReport.Write(folder, RunFolder.ReportOf(folder));
                }

                return shown;
            }

            try
            {
                summary = Experiment.Run(chosen, folder, continued, screen, processes, interruption.Token);
            }
            catch (OperationCanceledException) when (RunFolder.IsRun(folder))
            {
                Console.Error.WriteLine($"Stopped and saved. Go on with: weaklink train --resume --out {CommandLine.Quoted(folder)}");
                throw;
            }

            return Show(summary);

            int Show(Summary results)
            {
                Report(screen, results, folder);
                if (parsed.GetValue(json))
                {
                    Console.Out.WriteLine(results.ToJson());
                }

                return ExitCode.Success;
            }
        });
        return command;
    }

    private static List<string> Overrides(IEnumerable<string> set, params (string Key, string? Value)[] options) =>
        [.. set, .. options.Where(option => option.Value is not null).Select(option => $"{option.Key}={option.Value}")];

    private static string DefaultRecipe(List<string> overrides) =>
        overrides.Any(pair => pair.StartsWith("model.weights=", StringComparison.Ordinal)) ? WeightsRecipe
        : overrides.LastOrDefault(pair => pair.StartsWith("data.source=", StringComparison.Ordinal)) is null or "data.source=shapes" ? EmbeddedRecipe : OwnDataRecipe;

    private static ReservedFolder NewRun(Recipe recipe)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(recipe.Data.Source))).Split('.')[0];
        return ReservedFolder.Next(RunsFolder, name);
    }

    private static string NewestRun() => Directory.Exists(RunsFolder)
        && Directory.GetDirectories(RunsFolder).Where(RunFolder.IsRun).MaxBy(RunFolder.LastTrained) is { } newest
        ? newest
        : throw new InputException($"There is no run under '{RunsFolder}' to resume: name its folder with --out.");

    private static void Report(Screen screen, Summary summary, string folder)
    {
        screen.Line();
        Results.Show(screen, summary);
        screen.Line($"Trained in {Screen.Duration(TimeSpan.FromSeconds(summary.Seconds.Train))}, measured in {Screen.Duration(TimeSpan.FromSeconds(summary.Seconds.Evaluate))}. Everything is in {folder}; look at {RunFolder.ReportOf(folder)}");
        screen.Line($"Next: weaklink predict {CommandLine.Quoted(folder)} IMAGE...   weaklink evaluate {CommandLine.Quoted(folder)} --data D");
    }
}
