using System.CommandLine;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;

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
            var folder = parsed.GetValue(run)!;
            if (!RunFolder.IsRun(folder) || !RunFolder.IsFinished(folder))
            {
                throw new InputException($"'{folder}' is not the folder of a finished run (it holds no {(RunFolder.IsRun(folder) ? "summary.json" : "recipe.yaml")}): {(RunFolder.IsRun(folder) ? "finish it with 'weaklink train --resume'" : "give one that 'weaklink train' made")}.");
            }

            var path = parsed.GetValue(output) is { } page ? CommonOptions.NewFile(page) : RunFolder.ReportOf(folder);
            Write(folder, parsed.GetValue(data), path, screen, interruption.Token);
            screen.Line($"Wrote {path}");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Writes the page of a finished run.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="source">Where its data are now; null: where they were.</param>
    /// <param name="path">The page.</param>
    /// <param name="screen">Shows the progress.</param>
    /// <param name="stop">Stops.</param>
    public static void Write(string folder, string? source, string path, Screen screen, CancellationToken stop)
    {
        NativeLibraries.Load();
        var device = EnvironmentReport.TrainingDevice;
        using var trained = TrainedModel.Load(folder, device);
        var recipe = trained.Recipe.With(source is null ? [] : [$"data.source={source}"]);
        var splits = KnownClasses.Open(recipe, trained, screen, stop);
        RunReport.Write(folder, trained, splits.Test, Summary.Read(folder), path, device, screen, stop);
    }
}
