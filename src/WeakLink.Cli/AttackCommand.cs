using System.CommandLine;
using System.Globalization;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Runtime;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary><c>weaklink attack</c>: adversarial examples of a trained network, to look at or to use.</summary>
internal static class AttackCommand
{
    public static Command Create()
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
        var set = CommonOptions.Set();
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

            EnvironmentReport.Create();
            var device = EnvironmentReport.TrainingDevice;
            using var trained = TrainedModel.Load(parsed.GetValue(model)!, device);
            string[] chosen = parsed.GetValue(data) is { } source ? [$"data.source={source}", "data.fingerprint="] : [];
            var recipe = RecipeFile.Parse(RecipeFile.ToYaml(trained.Recipe), "the run's recipe", chosen.Concat(parsed.GetValue(set)!));
            var images = StratifiedSplit.Limit(KnownClasses.Open(recipe, trained, screen, interruption.Token).Test, parsed.GetValue(limit), recipe.Seed);
            var crop = Loaders.MeasuringCrop(recipe, images);
            if (Directory.Exists(parsed.GetValue(output)!) && Directory.EnumerateFileSystemEntries(parsed.GetValue(output)!).Any())
            {
                throw new InputException($"'{parsed.GetValue(output)}' holds other files: give an empty or new folder with --out.");
            }

            var folder = Directory.CreateDirectory(parsed.GetValue(output)!).FullName;
            using var examples = new AdversarialFiles(folder, arrays, threat, trained.Classes);
            examples.Describe(Path.GetFullPath(parsed.GetValue(model)!), images.Name, parsed.GetValue(attack)!, parsed.GetValue(seed));
            RobustMetrics metrics;
            try
            {
                metrics = RobustEvaluation.Measure(
                    trained.Network,
                    parsed.GetValue(attack)!,
                    attacks,
                    images,
                    crop,
                    recipe.Evaluation.Batch,
                    device,
                    parsed.GetValue(seed),
                    screen,
                    found: example =>
                    {
                        using var scope = torch.NewDisposeScope();
                        examples.Add(example, images.Label(example.Index), (int)trained.Network.call(example.Adversarial.unsqueeze(0)).argmax().ToInt64());
                    },
                    stop: interruption.Token);
            }
            finally
            {
                // Also what was found before an interruption.
                examples.Finish();
            }

            screen.Line();
            Results.ShowAttack(screen, metrics.Attack, threat.Norm.ToString().ToLowerInvariant(), RobustSummary.Of([metrics], trained.Classes)![metrics.Attack].Values.Single());
            var contents = arrays
                ? ": adversarial.npy, clean.npy (N×3×H×W, [0, 1]), amplified.npy (N×H×W×3, bytes), labels.npy, predictions.npy, indices.npy."
                : "; each picture shows image, adversarial example and amplified perturbation. The examples alone, rounded to bytes, are in images/.";
            screen.Line(metrics.Clean == metrics.Robust
                ? "No adversarial example was found, and none was written: a larger --eps or another --attack may find some."
                : string.Create(CultureInfo.InvariantCulture, $"{metrics.Clean - metrics.Robust} adversarial examples are in {folder}{contents}"));
            return ExitCode.Success;
        });
        return command;
    }
}
