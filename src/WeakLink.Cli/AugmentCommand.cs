using System.CommandLine;
using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink augment</c>: a picture of what a recipe trains on.</summary>
internal static class AugmentCommand
{
    // More rows would be looked at by nobody.
    private const int MostImages = 24;

    public static Command Create()
    {
        var recipe = new Argument<string>("RECIPE") { Description = $"A recipe by name or path, or a run folder: {string.Join(", ", RecipeFile.Names)}." };
        var images = new Argument<string[]>("IMAGE") { Description = $"Image files, or folders of them: the first {MostImages} are drawn. Where sizes differ, all are scaled and cut to a square of the first one's shorter side, or of data.size.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "The PNG file to write.", HelpName = "FILE", Required = true };
        var epochs = new Option<int>("--epochs") { Description = "How often each image is drawn anew.", HelpName = "N", DefaultValueFactory = _ => 8 };
        var seed = new Option<long>("--seed") { Description = "Seed of every random draw (default 0).", HelpName = "N" };
        var set = CommonOptions.Set();
        var command = new CommandWithExamples("augment", "Draw what a recipe makes of images in training, to look at.", """
            weaklink augment cifar-augmix photos/cat/1.jpg photos/dog/7.jpg --out sheet.png
            weaklink augment runs/photos-1 photos/cat/*.jpg --out sheet.png --epochs 4
            weaklink augment small cat.png --out sheet.png --set augmentation.sequence=crop,flip,trivialaugment,cutout
            """)
        { recipe, images, output, epochs, seed, set };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(epochs) is < 1 or > 1000)
            {
                throw new InputException("--epochs must be from 1 to 1000.");
            }

            var files = Files(parsed.GetValue(images)!);
            var sheet = CommonOptions.NewFile(parsed.GetValue(output)!, [parsed.GetValue(recipe)!, .. files]);
            if (!sheet.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            {
                throw new InputException($"'{sheet}' is not the name of a PNG file: give one that ends with .png to --out.");
            }

            var name = parsed.GetValue(recipe)!;
            var chosen = RunFolder.IsRun(name)
                ? RunFolder.RecipeOf(name).With(parsed.GetValue(set)!)
                : RecipeFile.Load(name, parsed.GetValue(set)!);
            if (files.Count > MostImages)
            {
                Console.Error.WriteLine($"The first {MostImages} of {files.Count:n0} images are drawn.");
            }

            var given = Read([.. files.Take(MostImages)], chosen.Data);
            var views = AugmentationSequence.Views(chosen, given.Height, given.Width);
            if (!views.Fit(given.Height, given.Width))
            {
                throw new InputException($"The recipe's crop of {views.Width}x{views.Height} pixels does not fit into images of {given.Width}x{given.Height}: give larger ones, or --set data.size=PIXELS.");
            }

            var mixings = AugmentationSequence.Mixings(chosen, classes: 1);
            if (mixings.Count > 0)
            {
                NativeLibraries.Load();
            }

            AugmentationSheet.Write(sheet, given, views, mixings, parsed.GetValue(epochs), parsed.GetValue(seed));
            Console.Out.WriteLine($"{sheet}: {given.Count} image{(given.Count == 1 ? "" : "s")} after {string.Join(", ", chosen.Augmentation.Sequence)}{(views.Count > 1 ? $", {views.Count} views each" : "")}");
            return ExitCode.Success;
        });
        return command;
    }

    private static List<string> Files(string[] paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            files.AddRange(!Directory.Exists(path) ? [path] : ImageFile.In(path, new PassedOver()) is { Count: > 0 } found ? found
                : throw new InputException($"The folder '{path}' has no images ({ImageFile.Formats}): give another one."));
        }

        return files;
    }

    private static Pictures Read(string[] paths, DataRecipe data)
    {
        var (width, height) = ImageFile.Size(paths[0]);
        var side = data.Size > 0 || paths.All(path => ImageFile.Size(path) == (width, height)) ? data.Size : Math.Min(width, height);
        var decoded = paths.Select(path => ImageFile.Decode(path, side, data.Filter)).ToList();
        return new Pictures(paths, decoded[0].Height, decoded[0].Width, [.. decoded.Select(one => one.Planes)]);
    }

    /// <summary>Images without classes.</summary>
    private sealed class Pictures(string[] paths, int height, int width, byte[][] planes) : Dataset
    {
        public override string Name => "images";

        public override IReadOnlyList<string> Classes { get; } = [""];

        public override int Count => paths.Length;

        public override int Height => height;

        public override int Width => width;

        public override int Label(int index) => 0;

        public override void Read(int index, Span<byte> target) => planes[index].CopyTo(target);

        public override string Describe(int index) => paths[index];
    }
}
