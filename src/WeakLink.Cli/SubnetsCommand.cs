using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Cli;

/// <summary><c>weaklink subnets</c>: how weak the subnets of a network are, and whether that goes with how robust the network is.</summary>
internal static class SubnetsCommand
{
    // Noise, blur, weather and compression, each in a severity at which a network that was not trained for it still works.
    private const string FewCorruptions = "gaussian_noise,defocus_blur,fog,jpeg_compression";
    private const string MildSeverity = "2";
    private const string Pgd = "pgd";

    // What the library measures where nothing is said.
    private static readonly SubnetStudyOptions Usual = new();
    private static readonly SubnetStudyImagesOptions UsualImages = new();

    // What leaves a network that was not trained against attacks some accuracy to compare: at 8/255 it has none.
    private static readonly ThreatModel MildThreat = new(Norm.Linf, 1.0 / 255);

    public static Command Create(ProcessGroup processes)
    {
        var models = new Argument<string[]>("MODEL") { Description = "Run folders or .safetensors checkpoints; with four or more also the correlation over them.", Arity = ArgumentArity.OneOrMore };
        var checkpoints = new Option<bool>("--checkpoints") { Description = "Measure the checkpoints that each run kept on its way (training.keep-every), instead of its best." };
        var data = CommonOptions.Data("The data to measure on (default: those of the first run); their test images are used.");
        var limit = new Option<int>("--limit") { Description = "Measure each subnet on at most this many test images, every class in its share (0: all).", HelpName = "N", DefaultValueFactory = _ => UsualImages.Limit };
        var widths = new Option<string>("--widths") { Description = "Subnet widths, in (0, 1], with commas between; up to 0.5 one of a block's two paths is left out.", HelpName = "LIST", DefaultValueFactory = _ => string.Join(',', Usual.Widths.Select(width => width.ToString(CultureInfo.InvariantCulture))) };
        var count = new Option<int>("--count") { Description = "Random subnets of each width, and as many proposed by a policy.", HelpName = "N", DefaultValueFactory = _ => Usual.Count };
        var updates = new Option<int>("--search-updates") { Description = "Forward passes of a search, each an update of the policy (0: no search, random subnets alone).", HelpName = "N", DefaultValueFactory = _ => Usual.SearchUpdates };
        var searches = new Option<int>("--searches") { Description = "Searches of each width by a policy, as many random ones and by gradients, to see their spread.", HelpName = "N", DefaultValueFactory = _ => Usual.Searches };
        var recalibrate = new Option<int>("--recalibrate") { Description = "Training images on which each subnet's batch-norm statistics are re-estimated (0: the full network's running averages).", HelpName = "N", DefaultValueFactory = _ => UsualImages.RecalibrationImages };
        var corruptions = new Option<string>("--corruptions") { Description = "benchmark (the 15), all (19), names with commas between, or none.", HelpName = "NAMES", DefaultValueFactory = _ => FewCorruptions };
        var severities = new Option<string>("--severities") { Description = "Severities of the corruptions, such as 1-5 or 1,3,5.", HelpName = "LIST", DefaultValueFactory = _ => MildSeverity };
        var attack = new Option<string>("--attack") { Description = $"{string.Join(", ", KnownAttacks.Names)}, or none. Each subnet is attacked itself, through its own gradients.", HelpName = "NAME", DefaultValueFactory = _ => Pgd };
        var attackSteps = new Option<int>("--attack-steps") { Description = "Steps of pgd, each a quarter of eps.", HelpName = "N", DefaultValueFactory = _ => 10 };
        var attackLimit = new Option<int>("--attack-limit") { Description = "Attack at most this many of the test images.", HelpName = "N", DefaultValueFactory = _ => UsualImages.AttackLimit };
        var norm = new Option<string?>("--norm") { Description = "How the attacker's perturbation is measured: linf, l2 or l1.", HelpName = "NORM" };
        var eps = new Option<string?>("--eps") { Description = "The attacker's largest perturbation, for images in [0, 1] (default: what the first model was trained against, or linf 1/255).", HelpName = "8/255" };
        var output = new Option<string?>("--out") { Description = "The folder for subnets.json and subnets.html (default: RUN/subnets, where a single run is measured).", HelpName = "DIR" };
        var seed = new Option<long>("--seed") { Description = "Seed of every random draw (default 0).", HelpName = "N" };
        var set = CommonOptions.Set("Change how data are read, such as data.size=64, evaluation.batch, or evaluation.exact=true, which measures in float32 with the networks as they are; may be repeated (docs/recipes.md).");
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("subnets", "Measure how weak a network's subnets are: clean, corrupted and attacked; how strong the search for them is; over several networks, whether weak subnets go with a weak network.", """
            weaklink subnets runs/cifar-1
            weaklink subnets runs/cifar-1 --widths 0.6,0.7,0.8,0.9 --count 32 --limit 2000
            weaklink subnets runs/cifar-1 --recalibrate 0 --out averages/     with the full network's running averages
            weaklink subnets runs/cifar-1 --corruptions benchmark --severities 1-5 --attack none
            weaklink subnets runs/robust-1 --attack pgd --eps 8/255 --attack-steps 20
            weaklink subnets runs/plain-0 runs/plain-1 runs/ews-0 runs/augmix-0 --out correlation/
            weaklink subnets runs/cifar-1 --checkpoints --widths 0.7 --search-updates 0     over the epochs of one run
            """)
        { models, checkpoints, data, limit, widths, count, updates, searches, recalibrate, corruptions, severities, attack, attackSteps, attackLimit, norm, eps, output, seed, set, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            AtLeast("--limit", parsed.GetValue(limit), 0);
            AtLeast("--count", parsed.GetValue(count), 1);
            AtLeast("--search-updates", parsed.GetValue(updates), 0);
            AtLeast("--searches", parsed.GetValue(searches), 1);
            AtLeast("--recalibrate", parsed.GetValue(recalibrate), 0);
            AtLeast("--attack-steps", parsed.GetValue(attackSteps), 1);
            AtLeast("--attack-limit", parsed.GetValue(attackLimit), 1);
            var (chosenWidths, chosenSeverities) = (Widths(parsed.GetValue(widths)!), CommonOptions.Severities(parsed.GetValue(severities)!));
            IReadOnlyList<Corruption> chosenCorruptions = parsed.GetValue(corruptions)! == EvaluationRecipe.None ? [] : CommonCorruptions.Named(parsed.GetValue(corruptions)!);
            CommonOptions.RequireKeys(
                parsed.GetValue(set)!, "has no effect here: set keys that begin with data., evaluation.batch or evaluation.exact", "data.", "evaluation.batch=", "evaluation.exact=");

            var named = parsed.GetValue(models)!;
            var paths = parsed.GetValue(checkpoints) ? [.. named.SelectMany(RunFolder.KeptCheckpoints)] : named.Select(RunFolder.CheckpointOf).ToList();
            var folder = parsed.GetValue(output) ?? (named.Length == 1 && RunFolder.IsRun(named[0])
                ? Path.Combine(named[0], "subnets")
                : throw new InputException("There is no run that the results belong to: say with --out DIR where to write them."));

            NativeLibraries.Load();
            var device = EnvironmentReport.TrainingDevice;
            using var first = TrainedModel.Load(paths[0], device);
            var recipe = first.Recipe.With([.. CommonOptions.OtherData(parsed.GetValue(data)), .. parsed.GetValue(set)!]);
            var attacks = Attacks(parsed.GetValue(attack)!, Threat(parsed.GetValue(norm), parsed.GetValue(eps), first.Recipe.Objective), parsed.GetValue(attackSteps), out var steps);
            if (steps is null && parsed.GetResult(attackSteps) is { Implicit: false })
            {
                throw new InputException($"--attack-steps are steps of pgd, but --attack is {parsed.GetValue(attack)}: leave one of them out.");
            }

            if (attacks.Count == 0 && (parsed.GetValue(norm) ?? parsed.GetValue(eps)) is not null)
            {
                throw new InputException("--eps and --norm say how to attack, but --attack is none: name an attack, such as --attack pgd.");
            }

            var splits = KnownClasses.Open(recipe, first, screen, interruption.Token);
            // Before the first hour of work, not after it.
            foreach (var path in paths.Skip(1))
            {
                using var one = TrainedModel.Load(path, torch.CPU);
                RequireAlike(first, one, path, splits.Test);
            }

            var known = KnownImages.Of(StratifiedSplit.Limit(splits.Test, parsed.GetValue(limit), parsed.GetValue(seed)), screen, interruption.Token);
            var names = Names(paths);
            List<string> warnings = [];
            for (var i = 0; i < paths.Count; i++)
            {
                // A checkpoint's own recipe: models may be of several runs.
                using var one = Checkpoint.Load(paths[i]);
                warnings.AddRange(RunImages.Met(paths[i], one.Recipe, known, "test images", screen).Select(sentence => paths.Count == 1 ? sentence : $"{names[i]}: {sentence}"));
            }

            foreach (var warning in warnings)
            {
                screen.Note(warning);
            }

            if (processes.Leads)
            {
                Directory.CreateDirectory(folder);
            }

            using var images = SubnetStudyImages.Create(
                recipe,
                splits.Test,
                splits.Train,
                new SubnetStudyImagesOptions
                {
                    Limit = parsed.GetValue(limit),
                    Corruptions = chosenCorruptions,
                    Severities = chosenSeverities,
                    AttackLimit = attacks.Count > 0 ? parsed.GetValue(attackLimit) : 0,
                    RecalibrationImages = parsed.GetValue(recalibrate),
                    Search = parsed.GetValue(updates) > 0,
                    Seed = parsed.GetValue(seed),
                },
                screen,
                interruption.Token);
            var options = new SubnetStudyOptions
            {
                Widths = chosenWidths,
                Count = parsed.GetValue(count),
                Searches = parsed.GetValue(searches),
                SearchUpdates = parsed.GetValue(updates),
                Attacks = attacks,
                Seed = parsed.GetValue(seed),
                Exact = recipe.Evaluation.Exact,
            };
            var study = new SubnetStudy
            {
                Command = CommandLine.Current,
                Data = splits.Test.Name,
                Images = SubnetStudyImages.Count(images.Clean),
                Corruptions = [.. chosenCorruptions.Select(corruption => corruption.Name)],
                Severities = chosenCorruptions.Count > 0 ? chosenSeverities : [],
                Attack = attacks.Count == 0 ? null : new StudiedAttack(parsed.GetValue(attack)!, attacks[0].Threat.Norm.ToString().ToLowerInvariant(), attacks[0].Threat.Epsilon, steps, SubnetStudyImages.Count(images.Attacked)),
                Recalibrated = SubnetStudyImages.Count(images.Recalibration),
                Seed = options.Seed,
                Models = [],
                Warnings = warnings,
            };
            (Accuracies, Accuracies?, IReadOnlyList<WidthStudy>) Measure(ClassifierNetwork network, string name)
            {
                try
                {
                    return SubnetStudyMeasurement.Measure(network, images, options, device, name, screen, processes, interruption.Token);
                }
                catch (InputException exception)
                {
                    throw new InputException($"{name}: {exception.Message}", exception);
                }
            }

            try
            {
                for (var i = 0; i < paths.Count; i++)
                {
                    using var trained = TrainedModel.Load(paths[i], device);
                    var clock = Stopwatch.GetTimestamp();
                    var (full, reestimated, measured) = Measure(trained.Network, names[i]);
                    study = study with
                    {
                        Models = [.. study.Models, new ModelStudy(
                            names[i], paths[i], trained.Network.Name, trained.Recipe.Ews.Search.ToString().ToLowerInvariant(), trained.Position.Epoch, full, reestimated, measured, Stopwatch.GetElapsedTime(clock).TotalSeconds)],
                    };
                    if (processes.Leads)
                    {
                        Keep(measured, trained.Network, folder, paths.Count > 1 ? $"{i + 1}-" : "");
                        SubnetPage.Write(study, folder);
                        SubnetResults.ShowModel(screen, study, study.Models[^1]);
                    }
                }
            }
            catch (OperationCanceledException) when (study.Models.Count > 0)
            {
                Console.Error.WriteLine($"Stopped. {study.Models.Count} of {paths.Count} models are measured: {folder}");
                throw;
            }

            SubnetResults.ShowCorrelations(screen, study);
            screen.Line($"Everything is in {Path.Combine(folder, "subnets.html")} and subnets.json beside it{(options.SearchUpdates > 0 ? ", the weakest subnets that were found in weakest-*.json (for evaluate --subnet and export --subnet)" : "")}.");
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(study.ToJson());
            }

            return ExitCode.Success;
        });
        return command;
    }

    // For evaluate --subnet and export --subnet.
    private static void Keep(IReadOnlyList<WidthStudy> widths, ClassifierNetwork network, string folder, string model)
    {
        foreach (var width in widths)
        {
            foreach (var (search, subnet) in width.Found)
            {
                SubnetFile.Write(Path.Combine(folder, FormattableString.Invariant($"weakest-{model}{width.Width}-{search}.json")), network.Name, network.Space, subnet);
            }
        }
    }

    private static void AtLeast(string option, int value, int least)
    {
        if (value < least)
        {
            throw new InputException($"{option} is {value}, but must be at least {least}.");
        }
    }

    private static List<double> Widths(string text)
    {
        var widths = text.Split(',', StringSplitOptions.TrimEntries)
            .Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var width) && width is > 0 and <= 1
                ? width
                : throw new InputException($"--widths {text}: '{part}' is not a width above 0 and at most 1; write 0.6,0.7,0.9."));
        return [.. widths.Distinct().Order()];
    }

    private static ThreatModel Threat(string? norm, string? eps, ObjectiveRecipe objective)
    {
        var usual = objective.Kind.IsAdversarial() ? objective.Threat() : MildThreat;
        var measure = norm is null ? usual.Norm : KnownAttacks.NormNamed(norm);
        return eps is not null
            ? new ThreatModel(measure, ThreatModel.ParseEpsilon(eps))
            : measure == usual.Norm ? usual : throw CommonOptions.EpsIsMissing(norm!);
    }

    private static IReadOnlyList<Attack> Attacks(string name, ThreatModel threat, int pgdSteps, out int? steps)
    {
        steps = name == Pgd ? pgdSteps : null;
        return name switch
        {
            EvaluationRecipe.None => [],
            // Fewer steps than evaluate takes: every subnet is attacked.
            Pgd => [new ProjectedGradientDescent(threat, pgdSteps, threat.Epsilon / 4)],
            _ => KnownAttacks.Named(name, threat),
        };
    }

    private static void RequireAlike(TrainedModel first, TrainedModel other, string path, Dataset data)
    {
        KnownClasses.Require(data, other);
        if (other.Size != first.Size || other.Recipe.Augmentation.Crop != first.Recipe.Augmentation.Crop)
        {
            throw new InputException($"'{path}' was trained on {other.Size.Width}x{other.Size.Height} images cropped to {other.Recipe.Augmentation.Crop}, the first model on {first.Size.Width}x{first.Size.Height} cropped to {first.Recipe.Augmentation.Crop}: only models that see the same images can be compared.");
        }
    }

    /// <summary>A short name for every checkpoint; of paths whose short ones would be the same, as much of their ends as tells them apart.</summary>
    private static List<string> Names(List<string> paths)
    {
        var names = paths.Select(path =>
        {
            var (file, run) = (Path.GetFileNameWithoutExtension(path), Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(path))));
            return run is null || !RunFolder.IsRun(run) ? file : file == "best" ? Path.GetFileName(run) : $"{Path.GetFileName(run)} {file}";
        }).ToList();
        return [.. names.Select((name, i) => names.Count(other => other == name) > 1 ? Apart(paths[i], paths) : name)];

        static string Apart(string path, List<string> all) =>
            Enumerable.Range(0, path.Length).Reverse().Where(at => at == 0 || path[at - 1] is '/' or '\\').Select(at => path[at..])
                .First(end => end == path || all.Count(other => other.EndsWith(end, StringComparison.Ordinal)) == 1);
    }
}
