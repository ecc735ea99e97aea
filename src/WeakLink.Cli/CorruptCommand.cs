using System.CommandLine;
using WeakLink.Corruptions;
using WeakLink.Data;
using WeakLink.Processes;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink corrupt</c>: the common-corruptions benchmark of any data set, as files.</summary>
internal static class CorruptCommand
{
    private const string Sheet = "contact-sheet.png";

    public static Command Create(ProcessGroup processes)
    {
        var data = new Argument<string>("D") { Description = "A run folder: the run's own test images, as its network sees them; or shapes, cifar10, cifar100, a folder, an archive or a list: the images that a run with seed 0 would test on." };
        var output = new Option<string>("--out") { Description = "The folder to write to; an interrupted call goes on there.", HelpName = "DIR", Required = true };
        var corruptions = new Option<string>("--corruptions") { Description = "benchmark (the 15), all (19), or names with commas between.", HelpName = "NAMES", DefaultValueFactory = _ => "benchmark" };
        var severities = new Option<string>("--severities") { Description = "Such as 1-5 or 1,3,5.", HelpName = "LIST", DefaultValueFactory = _ => "1-5" };
        var layout = new Option<string>("--layout") { Description = "npy (the layout of CIFAR-10-C) or folders (that of ImageNet-C, JPEG of quality 85).", HelpName = "npy|folders", DefaultValueFactory = _ => "npy" };
        var seed = new Option<long?>("--seed") { Description = "Seed of every random draw (default: the run's, or 0).", HelpName = "N" };
        var limit = new Option<int>("--limit") { Description = "Corrupt at most this many test images, every class in its share (default: all).", HelpName = "N" };
        var frost = CommonOptions.FrostTextures();
        var set = CommonOptions.Set("Change a key of data, such as data.size=64; may be repeated (docs/recipes.md).");
        var command = new CommandWithExamples("corrupt", "Write the common-corruptions benchmark of any data set, and a contact sheet to look at.", """
            weaklink corrupt runs/photos-1 --out photos-c/               the test images of a run
            weaklink corrupt cifar10 --out CIFAR-10-C-generated/
            weaklink corrupt photos/ --out photos-c/ --layout folders --corruptions all
            weaklink corrupt photos/ --out look/ --corruptions fog,frost --severities 1,3,5 --limit 20
            weaklink evaluate runs/photos-1 --corrupted photos-c/
            """)
        { data, output, corruptions, severities, layout, seed, limit, frost, set };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            var source = parsed.GetValue(data)!;
            var sets = parsed.GetValue(set)!;
            CommonOptions.RequireKeys(sets, "would change nothing: set keys that begin with data., or seed", "data.", "seed=");
            var isRun = RunFolder.IsRun(source);
            var recipe = isRun
                ? RunFolder.RecipeOf(source).With(sets)
                : new Recipe().With([.. sets, $"data.source={source}"]);
            var settings = new CorruptionSettings(
                CommonCorruptions.Named(parsed.GetValue(corruptions)!, parsed.GetValue(frost)),
                CommonOptions.Severities(parsed.GetValue(severities)!),
                parsed.GetValue(layout) switch
                {
                    "npy" => CorruptionLayout.Npy,
                    "folders" => CorruptionLayout.Folders,
                    var other => throw new InputException($"--layout {other} is not known: choose npy or folders."),
                },
                parsed.GetValue(seed) ?? (isRun ? recipe.Seed : 0));
            if (parsed.GetValue(limit) < 0)
            {
                throw new InputException("--limit must be at least 1 (or 0 for all images).");
            }

            NativeLibraries.Load();
            var test = StratifiedSplit.Limit(DataSources.Open(recipe.Data.WithoutExtra(), recipe.Seed, screen, interruption.Token).Test, parsed.GetValue(limit), recipe.Seed);
            if (isRun)
            {
                settings = settings with { Crop = Loaders.MeasuringCrop(recipe, test) };
                foreach (var warning in RunImages.Met(source, recipe, KnownImages.Of(test, screen, interruption.Token), "test images", screen))
                {
                    screen.Note(warning);
                }
            }

            var folder = parsed.GetValue(output)!;
            screen.Line($"{test.Name}: {test.Count:n0} test images of {test.Width}x{test.Height} pixels{(settings.Crop is { } crop && (crop.Width, crop.Height) != (test.Width, test.Height) ? $" cut to {crop.Width}x{crop.Height}" : "")}, {settings.Corruptions.Count} corruptions, severities {string.Join(", ", settings.Severities)} as for {SeverityTables.For(settings.Crop?.Height ?? test.Height, settings.Crop?.Width ?? test.Width)}");
            try
            {
                CorruptionWriter.Write(test, settings, folder, screen, processes, interruption.Token);
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine($"Stopped. What is finished stays in {folder}: the same command goes on from there.");
                throw;
            }

            if (!processes.Leads)
            {
                return ExitCode.Success;
            }

            var sheet = Path.Combine(folder, Sheet);
            ContactSheet.Write(sheet, test, settings);
            screen.Line($"Everything is in {folder}; {sheet} shows a row of each corruption ({string.Join(", ", settings.Corruptions.Select(corruption => corruption.Name))}).");
            return ExitCode.Success;
        });
        return command;
    }
}
