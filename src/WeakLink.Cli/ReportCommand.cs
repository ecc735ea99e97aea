using System.CommandLine;
using WeakLink.Reports;
using WeakLink.Runs;

namespace WeakLink.Cli;

/// <summary><c>weaklink report</c>: writes the page of a run again.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "A run folder with a summary.json (a finished run)." };
        var output = new Option<string?>("--out") { Description = "The page (default: report.html in the run folder).", HelpName = "FILE" };
        var command = new CommandWithExamples("report", "Write the page of a run again: one file with plots and pictures, drawn from what the run folder keeps; it needs neither the data nor the network.", """
            weaklink report runs/shapes-1
            weaklink report runs/photos-1 --out photos.html
            """)
        { run, output };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(run)!;
            if (!RunFolder.IsRun(folder) || !RunFolder.IsFinished(folder))
            {
                throw new InputException($"'{folder}' is not the folder of a finished run (it holds no {(RunFolder.IsRun(folder) ? "summary.json" : "recipe.yaml")}): {(RunFolder.IsRun(folder) ? "finish it with 'weaklink train --resume'" : "give one that 'weaklink train' made")}.");
            }

            var path = parsed.GetValue(output) is { } page ? CommonOptions.NewFile(page) : RunFolder.ReportOf(folder);
            RunReport.Write(folder, path);
            new Screen(false).Line($"Wrote {path}");
            return ExitCode.Success;
        });
        return command;
    }
}
