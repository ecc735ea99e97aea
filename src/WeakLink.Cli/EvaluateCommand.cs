using System.CommandLine;
using WeakLink.Attacks;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Perturbations;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Cli;

/// <summary><c>weaklink evaluate</c>: measures a trained network again, on the same or other data.</summary>
internal static class EvaluateCommand
{
    private const string All = "all", Present = "present";

    public static Command Create(ProcessGroup processes)
    {
        var model = CommonOptions.Model();
        var data = CommonOptions.Data("The data to measure on (default: those of the run); their test images are used.");
        var limit = new Option<int?>("--limit") { Description = "Measure on at most this many test images, every class in its share; 0: all (default: as in the run's recipe, mostly all).", HelpName = "N" };
        var quick = CommonOptions.Quick();
        var classes = new Option<string>("--classes") { Description = "all (default), or present: measure the clean accuracy once more among the classes that the test images have, as is usual for ImageNet-A and ImageNet-R.", HelpName = "NAME", DefaultValueFactory = _ => All };
        var corruptions = new Option<string?>("--corruptions") { Description = "Common corruptions to measure under: benchmark (the 15), all (19), names with commas between, or none. Named here, they are measured on all test images.", HelpName = "NAMES" };
        var corrupted = new Option<string?>("--corrupted") { Description = "Read the corrupted images from a folder in CIFAR-10-C's or ImageNet-C's layout, instead of making them.", HelpName = "DIR" };
        var attack = new Option<string?>("--attack") { Description = $"Attacks to measure robust accuracy under, with commas between: {string.Join(", ", KnownAttacks.Names)}, or none (default). Named here, they get all test images.", HelpName = "NAMES" };
        var norm = new Option<string?>("--norm") { Description = "How the attacker's perturbation is measured: linf, l2 or l1 (default: as in the run's recipe, mostly linf).", HelpName = "NORM" };
        var eps = new Option<string?>("--eps") { Description = "The attacker's largest perturbation, for images in [0, 1] (default: as in the run's recipe, mostly 8/255).", HelpName = "8/255" };
        var attackState = new Option<string?>("--attack-state") { Description = "Keep the progress, of attacks and all else, in this folder: after an interruption the same call goes on from there.", HelpName = "DIR" };
        var perturbations = new Option<string?>("--perturbations") { Description = "Perturbation sequences to measure stability on: benchmark (the 10), all, names with commas between, or none (default).", HelpName = "NAMES" };
        var perturbed = new Option<string?>("--perturbed") { Description = "Read the sequences from a folder in CIFAR-10-P's or ImageNet-P's layout, instead of making them.", HelpName = "DIR" };
        var testTime = new Option<int?>("--test-time-statistics") { Description = "Measure a second time, clean and corrupted, with batch-norm statistics of the test images, of so many at once; evaluation.test-time-window and -prior say more.", HelpName = "N" };
        var subnetFile = new Option<string?>("--subnet") { Description = "Measure the subnet of this file, such as the weakest that weaklink subnets found, in place of the whole network; its batch-norm statistics are re-estimated on training images.", HelpName = "FILE" };
        var exact = CommonOptions.Exact();
        var frost = CommonOptions.FrostTextures();
        var reference = new Option<string?>("--reference") { Description = "A run folder or summary that mCE, mFR and mT5D are relative to (default: for mCE AlexNet where the classes are ImageNet's 1,000).", HelpName = "RUN" };
        var set = CommonOptions.Set("Change a key of evaluation or data, such as evaluation.subnets=32; may be repeated (docs/recipes.md).");
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("evaluate", "Measure a trained network: accuracy, calibration, common corruptions, and how weak its subnets are.", """
            weaklink evaluate runs/shapes-1
            weaklink evaluate runs/photos-1 --data more-photos/ --json
            weaklink evaluate resnet50.safetensors --data a/ --classes present      a/test: the folders of ImageNet-A
            weaklink evaluate runs/photos-1 --corruptions all --limit 1000
            weaklink evaluate runs/cifar-1 --corruptions benchmark --corrupted CIFAR-10-C/
            weaklink evaluate runs/cifar-1 --attack autoattack --eps 8/255 --limit 1000 --attack-state aa/
            weaklink evaluate runs/cifar-1 --attack pgd,square --norm l2 --eps 0.5 --limit 200
            weaklink evaluate runs/cifar-1 --perturbations benchmark --limit 1000
            weaklink evaluate runs/cifar-1 --attack autoattack --quick        everything of few images
            weaklink evaluate runs/photos-1 --corruptions benchmark --test-time-statistics 64 --set evaluation.test-time-prior=16
            weaklink evaluate runs/shapes-1 --set evaluation.subnets=32 --set evaluation.subnet-width=0.5
            weaklink evaluate runs/shapes-1 --set evaluation.recalibration-images=0      the full network's running statistics
            weaklink evaluate runs/shapes-1 --subnet runs/shapes-1/weakest-subnet.json --corruptions benchmark
            """)
        { model, data, limit, quick, classes, corruptions, corrupted, attack, norm, eps, attackState, perturbations, perturbed, testTime, subnetFile, exact, frost, reference, set, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            var among = parsed.GetValue(classes) is All or Present ? parsed.GetValue(classes) : throw new InputException($"--classes {parsed.GetValue(classes)} is neither {All} nor {Present}.");
            NativeLibraries.Load();
            var device = EnvironmentReport.TrainingDevice;
            using var trained = TrainedModel.Load(parsed.GetValue(model)!, device);
            var subnet = parsed.GetValue(subnetFile) is { } file ? SubnetFile.Read(file, trained.Network.Name, trained.Network.Space) : null;
            CommonOptions.RequireKeys(parsed.GetValue(set)!, "would change how the network was trained, which is over: set keys that begin with evaluation. or data. only", "evaluation.", "data.");

            if (parsed.GetValue(attack) is null && trained.Recipe.Evaluation.Attack == EvaluationRecipe.None && (parsed.GetValue(eps) ?? parsed.GetValue(norm)) is not null)
            {
                throw new InputException("--eps and --norm say how to attack, but no attack was named: add --attack, such as --attack pgd.");
            }

            var its = trained.Recipe.Evaluation;
            var measuredIn = parsed.GetValue(norm) is { } given ? KnownAttacks.NormNamed(given) : its.AttackNorm;
            var size = parsed.GetValue(eps) ?? (parsed.GetValue(norm), measuredIn, its.AttackNorm) switch
            {
                ({ } unsized, not Norm.Linf, _) => throw CommonOptions.EpsIsMissing(unsized),
                ({ }, _, not Norm.Linf) => new EvaluationRecipe().AttackEps,
                _ => null,
            };

            var referenceModel = parsed.GetValue(reference);
            string[] chosen =
            [
                .. CommonOptions.OtherData(parsed.GetValue(data)),
                .. parsed.GetValue(corruptions) is { } names ? (string[])[$"evaluation.corruptions={names}", "evaluation.corruption-images=0"] : [],
                .. parsed.GetValue(corrupted) is { } folder ? (string[])[$"evaluation.corrupted-images={folder}"] : [],
                .. parsed.GetValue(attack) is { } attacks ? (string[])[$"evaluation.attack={attacks}", "evaluation.attack-images=0"] : [],
                .. parsed.GetValue(norm) is null ? (string[])[] : [$"evaluation.attack-norm={measuredIn}".ToLowerInvariant()],
                .. size is null ? (string[])[] : [$"evaluation.attack-eps={size}"],
                .. parsed.GetValue(perturbations) is { } sequences ? (string[])[$"evaluation.perturbations={sequences}", "evaluation.perturbation-images=0"] : [],
                .. parsed.GetValue(perturbed) is { } published ? (string[])[$"evaluation.perturbed-images={published}"] : [],
                .. parsed.GetValue(testTime) is { } together ? (string[])[FormattableString.Invariant($"evaluation.test-time-batch={together}")] : [],
                // A subnet has none.
                .. subnet is not null ? (string[])["evaluation.subnets=0"] : [],
                .. parsed.GetValue(frost) is { } textures ? (string[])[$"evaluation.frost-textures={textures}"] : [],
                .. parsed.GetValue(exact) ? (string[])["evaluation.exact=true"] : [],
                .. parsed.GetValue(quick) ? EvaluationRecipe.Quick : [],
                .. parsed.GetValue(limit) is { } most ? (string[])[FormattableString.Invariant($"evaluation.images={most}")] : [],
            ];
            if (parsed.GetValue(limit) < 0)
            {
                throw new InputException("--limit must be at least 1 (or 0 for all images).");
            }

            var recipe = trained.Recipe.With([.. chosen, .. parsed.GetValue(set)!]);
            if (parsed.GetValue(corrupted) is { } unread && recipe.Evaluation.Corruptions == EvaluationRecipe.None)
            {
                throw new InputException($"--corrupted {unread} would not be read, because no corruptions are measured: add --corruptions benchmark, or the names of those to measure.");
            }

            if (parsed.GetValue(perturbed) is { } unseen && recipe.Evaluation.Perturbations == EvaluationRecipe.None)
            {
                throw new InputException($"--perturbed {unseen} would not be read, because no perturbations are measured: add --perturbations benchmark, or the names of those to measure.");
            }

            if (referenceModel is not null && recipe.Evaluation is { Corruptions: EvaluationRecipe.None, Perturbations: EvaluationRecipe.None })
            {
                throw new InputException($"--reference {referenceModel} would not be read, because neither corruptions nor perturbations are measured: add --corruptions or --perturbations.");
            }

            var (errors, stability) = (
                referenceModel is not null && recipe.Evaluation.Corruptions != EvaluationRecipe.None ? ReferenceErrors.From(referenceModel, CommonCorruptions.Named(recipe.Evaluation.Corruptions)) : null,
                referenceModel is not null && recipe.Evaluation.Perturbations != EvaluationRecipe.None
                    ? Summary.ReadReference(referenceModel, CommonPerturbations.Named(recipe.Evaluation.Perturbations))
                    : null);
            var progress = parsed.GetValue(attackState) is { } place ? CommonOptions.NewFolder("--attack-state", place) : null;
            var splits = KnownClasses.Open(recipe, trained, screen, interruption.Token);
            var present = among == Present ? PresentClasses.Of(splits.Test) : [];
            if (present.Count == 1)
            {
                throw new InputException($"--classes {Present}: the test images of {splits.Test.Name} are all of one class, and among one every answer is right: leave it out.");
            }

            using var statistics = subnet is null ? null : SubnetEvaluation.Recalibrate(trained.Network, subnet, Loaders.Recalibrating(recipe, splits.Train), recipe.Evaluation.RecalibrationImages, device, recipe.Seed);
            using var part = subnet is null ? null : new SubnetNetwork(trained.Network, subnet, statistics);
            var test = StratifiedSplit.Limit(splits.Test, recipe.Evaluation.Images, recipe.Seed);
            var measuredImages = KnownImages.Of(test, screen, interruption.Token);
            var images = RunImages.Of(parsed.GetValue(model)!, trained.Recipe);
            var dataFingerprint = recipe.Data.Fingerprint.Length > 0 ? images?.WholeFingerprint() : null;
            List<string> warnings =
            [
                .. RunImages.Met(parsed.GetValue(model)!, trained.Recipe, measuredImages, "test images", screen),
                .. referenceModel is not null && (errors is not null || stability is not null) && Summary.DoubtOfReference(referenceModel, test.Name, measuredImages.Fingerprint(), dataFingerprint) is { } doubt ? (string[])[doubt] : [],
            ];
            foreach (var warning in warnings)
            {
                screen.Note(warning);
            }

            warnings.AddRange(CorruptionEvaluation.Check(recipe, splits.Test, measuredImages, images, screen));
            Evaluator.CheckFolders(recipe, splits.Test);

            // What the run took, not what its best checkpoint had taken.
            var run = RunFolder.IsFinished(parsed.GetValue(model)!) ? Summary.Read(parsed.GetValue(model)!) : null;
            var evaluator = new Evaluator(part ?? trained.Network, recipe, test, device, screen, interruption.Token) { Processes = processes };
            var examples = subnet is null && run is not null && AreOf(run, measuredImages, anywhereElse: parsed.GetValue(data) is not null)
                && !ResultFiles.HasPictures(RunFolder.ResultsOf(parsed.GetValue(model)!), run);
            screen.Note(MeasuringEstimate.For(evaluator, splits.Train, examples).ToString());
            Measurement measurement;
            try
            {
                measurement = Measurement.Of(trained, progress is null ? evaluator : evaluator.Keeping(progress), splits.Train, examples, errors, stability);
            }
            catch (OperationCanceledException) when (progress is not null)
            {
                Console.Error.WriteLine($"Stopped. What was measured is kept in {progress}: the same command goes on from there.");
                throw;
            }

            foreach (var sentence in referenceModel is null ? [] : Summary.DoubtsOfReference(Summary.Read(referenceModel), measurement.Summary))
            {
                screen.Note(sentence);
                warnings.Add(sentence);
            }

            var summary = measurement.Summary with
            {
                Command = CommandLine.Current,
                Settings = RecipeKeys.ValuesOf(recipe).Where(key => key.Name.StartsWith("evaluation.", StringComparison.Ordinal)).ToDictionary(key => key.Name, key => key.Value),
                Fingerprint = measuredImages.Fingerprint(),
                DataFingerprint = dataFingerprint,
                Warnings = warnings,
                Subnet = parsed.GetValue(subnetFile),
            };
            if (among == Present)
            {
                summary = summary with { PresentClasses = new PresentSummary(present.Count, PresentClasses.Measure(evaluator, present)) };
            }

            if (run is not null)
            {
                summary = summary with
                {
                    Epochs = run.Epochs,
                    Validation = run.Validation,
                    Seconds = run.Seconds with { Evaluate = summary.Seconds.Evaluate },
                };
            }

            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(summary.ToJson());
            }
            else
            {
                screen.Line();
                Results.Show(screen, summary);
            }

            if (run is not null && processes.Leads)
            {
                Keep(parsed.GetValue(model)!, measurement with { Summary = summary }, test, screen);
            }

            return ExitCode.Success;
        });
        return command;
    }

    // Of an older version's run it is not known which images it was measured on, only how many.
    private static bool AreOf(Summary run, KnownImages measured, bool anywhereElse) =>
        run.Fingerprint is { } its ? its == measured.Fingerprint() : !anywhereElse && run.Images == measured.Hashes.Count;

    // What was measured is told already: a folder that can't be written to takes nothing of it.
    private static void Keep(string folder, Measurement measurement, Dataset images, Screen screen)
    {
        try
        {
            var kept = RunFolder.KeepEvaluation(folder, measurement, images);
            screen.Line($"Kept in {kept}; weaklink report {folder} shows it.");
        }
        catch (InputException exception)
        {
            screen.Note($"This evaluation is not kept in the run: {exception.Message}");
        }
    }
}
