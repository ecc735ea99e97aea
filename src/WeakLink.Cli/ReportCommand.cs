using System.CommandLine;
using WeakLink.Evaluation;
using WeakLink.Reports;
using WeakLink.Runtime;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary><c>weaklink report</c>: writes the page of a run again.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "A run folder with a summary.json (a finished run)." };
        var output = new Option<string?>("--out") { Description = "The page (default: report.html in the run folder).", HelpName = "FILE" };
        var data = CommonOptions.Data("Where the run's data are now (default: where they were); the page is about their test images.");
        var command = new CommandWithExamples("report", "Write the page of a run again: one file with plots and pictures, no network access.", """
            weaklink report runs/shapes-1
            weaklink report runs/photos-1 --out photos.html
            """)
        { run, output, data };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(false);
            NativeLibraries.Load();
            var folder = parsed.GetValue(run)!;
            if (!RunFolder.IsRun(folder) || !RunFolder.IsFinished(folder))
            {
                throw new InputException($"'{folder}' is not the folder of a finished run (it holds no {(RunFolder.IsRun(folder) ? "summary.json" : "recipe.yaml")}): {(RunFolder.IsRun(folder) ? "finish it with 'weaklink train --resume'" : "give one that 'weaklink train' made")}.");
            }

            var device = EnvironmentReport.TrainingDevice;
            using var trained = TrainedModel.Load(folder, device);
            var recipe = RecipeFile.Parse(
                RecipeFile.ToYaml(trained.Recipe), "the run's recipe", parsed.GetValue(data) is { } source ? [$"data.source={source}", "data.fingerprint="] : []);
            var splits = KnownClasses.Open(recipe, trained, screen, interruption.Token);
            var path = parsed.GetValue(output) ?? RunFolder.ReportOf(folder);
            RunReport.Write(folder, trained, splits.Test, Summary.Read(folder), path, device, screen, interruption.Token);
            screen.Line($"Wrote {path}");
            return ExitCode.Success;
        });
        return command;
    }
}
