using System.CommandLine;
using System.Globalization;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Processes;
using WeakLink.Runs;
using WeakLink.Runtime;

namespace WeakLink.Cli;

/// <summary><c>weaklink attack</c>: adversarial examples of a trained network, to look at or to use.</summary>
internal static class AttackCommand
{
    public static Command Create(ProcessGroup processes)
    {
        var model = CommonOptions.Model();
        var output = new Option<string>("--out") { Description = "The folder to write to.", HelpName = "DIR", Required = true };
        var data = CommonOptions.Data("The data to attack (default: those of the run); their test images are used.");
        var attack = new Option<string>("--attack") { Description = string.Join(", ", KnownAttacks.Names) + ".", HelpName = "NAME", DefaultValueFactory = _ => "pgd" };
        var norm = new Option<string>("--norm") { Description = "How the perturbation is measured: linf, l2 or l1.", HelpName = "NORM", DefaultValueFactory = _ => "linf" };
        var eps = new Option<string>("--eps") { Description = "The largest perturbation, for images in [0, 1].", HelpName = "8/255", DefaultValueFactory = _ => "8/255" };
        var limit = new Option<int>("--limit") { Description = "Attack at most this many test images, every class in its share (0: all).", HelpName = "N", DefaultValueFactory = _ => 100 };
        var layout = new Option<string>("--layout") { Description = "images (PNG: each example, and beside it a picture of image, example and amplified perturbation) or npy (float32 arrays and the amplified perturbation).", HelpName = "images|npy", DefaultValueFactory = _ => "images" };
        var seed = new Option<long>("--seed") { Description = "Seed of every random draw (default 0).", HelpName = "N" };
        var set = CommonOptions.Set("Change how data are read, such as data.size=64, or evaluation.batch; may be repeated (docs/recipes.md).");
        var command = new CommandWithExamples("attack", "Write adversarial examples of a trained network.", """
            weaklink attack runs/shapes-1 --out examples/
            weaklink attack runs/photos-1 --out examples/ --attack autoattack --norm l2 --eps 0.5 --limit 20
            weaklink attack runs/photos-1 --out arrays/ --layout npy --limit 0
            """)
        { model, output, data, attack, norm, eps, limit, layout, seed, set };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            if (parsed.GetResult(eps) is null or { Implicit: true } && KnownAttacks.NormNamed(parsed.GetValue(norm)!) != Norm.Linf)
            {
                throw CommonOptions.EpsIsMissing(parsed.GetValue(norm)!);
            }

            if (parsed.GetValue(attack)!.Contains(',', StringComparison.Ordinal))
            {
                throw new InputException($"--attack {parsed.GetValue(attack)} names several, but examples are made by one: choose one, or autoattack, which goes on with another where one fails.");
            }

            CommonOptions.RequireKeys(
                parsed.GetValue(set)!, "would change nothing here: set keys that begin with data., or evaluation.batch; the attack has the options --attack, --norm, --eps, --limit and --seed",
                "data.", "evaluation.batch=");

            var threat = new ThreatModel(KnownAttacks.NormNamed(parsed.GetValue(norm)!), ThreatModel.ParseEpsilon(parsed.GetValue(eps)!));
            var attacks = KnownAttacks.Named(parsed.GetValue(attack)!, threat);
            var arrays = parsed.GetValue(layout) switch
            {
                "images" => false,
                "npy" => true,
                var other => throw new InputException($"--layout {other} is not known: choose images or npy."),
            };
            if (parsed.GetValue(limit) < 0)
            {
                throw new InputException("--limit must be at least 1 (or 0 for all images).");
            }

            NativeLibraries.Load();
            var device = EnvironmentReport.TrainingDevice;
            using var trained = TrainedModel.Load(parsed.GetValue(model)!, device);
            var recipe = trained.Recipe.With([.. CommonOptions.OtherData(parsed.GetValue(data)), .. parsed.GetValue(set)!]);
            var images = StratifiedSplit.Limit(KnownClasses.Open(recipe, trained, screen, interruption.Token).Test, parsed.GetValue(limit), recipe.Seed);
            Evaluator.CheckAttacks(attacks, recipe, images);
            var warnings = RunImages.Met(parsed.GetValue(model)!, trained.Recipe, KnownImages.Of(images, screen, interruption.Token), "test images", screen);
            if (processes.Leads && Directory.Exists(parsed.GetValue(output)!) && Directory.EnumerateFileSystemEntries(parsed.GetValue(output)!).Any())
            {
                throw new InputException($"'{parsed.GetValue(output)}' holds other files: give an empty or new folder with --out.");
            }

            var evaluator = new Evaluator(trained.Network, recipe with { Seed = parsed.GetValue(seed) }, images, device, screen, interruption.Token) { Processes = processes };
            if (!processes.Leads)
            {
                // What it finds the first one writes.
                evaluator.Attacked(parsed.GetValue(attack)!, attacks, found: _ => { });
                return ExitCode.Success;
            }

            var folder = CommonOptions.NewFolder("--out", parsed.GetValue(output)!);
            using var examples = new AdversarialFiles(folder, arrays, threat, trained.Classes);
            // At once, so that the folder is known for what it is from the first picture on.
            Finish(null);
            RobustSummary metrics;
            try
            {
                metrics = evaluator.Attacked(
                    parsed.GetValue(attack)!, attacks, found: example => examples.Add(example, images.Label(example.Index), images.Describe(example.Index)));
            }
            catch (OperationCanceledException)
            {
                Finish(null);
                Console.Error.WriteLine($"Stopped. The examples found so far are in {folder}; the same command begins again, in another folder.");
                throw;
            }

            metrics = metrics with { Warnings = [.. warnings, .. metrics.Warnings] };
            Finish(metrics);
            screen.Line();
            Results.ShowAttack(screen, parsed.GetValue(attack)!, threat.Norm.ToString().ToLowerInvariant(), metrics);
            var contents = arrays
                ? ": adversarial.npy, clean.npy (N×3×H×W, [0, 1]), amplified.npy (N×H×W×3, bytes), labels.npy, predictions.npy, indices.npy."
                : "; each picture shows image, adversarial example and amplified perturbation. The examples alone, rounded to bytes, are in images/.";
            screen.Line(metrics.Broken == 0
                ? "No adversarial example was found, and none was written: a larger --eps or another --attack may find some."
                : string.Create(CultureInfo.InvariantCulture, $"{metrics.Broken} adversarial example{(metrics.Broken == 1 ? " is" : "s are")} in {folder}{contents}"));
            return ExitCode.Success;

            void Finish(RobustSummary? measured) =>
                examples.Finish(Path.GetFullPath(RunFolder.CheckpointOf(parsed.GetValue(model)!)), images.Name, parsed.GetValue(attack)!, parsed.GetValue(seed), measured);
        });
        return command;
    }
}
