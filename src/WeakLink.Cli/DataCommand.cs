using System.Collections.Concurrent;
using System.CommandLine;
using System.Text.Json;
using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Recipes;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink data</c>: what data are, and getting them.</summary>
internal static class DataCommand
{
    // Images that are decoded for their hashes, and need not be again to be written.
    private const int PackingMegabytes = 1024;

    private sealed record Part(string Name, int Images, IReadOnlyDictionary<string, int> Classes);

    private static readonly string[] SkipBad = ["data.skip-bad-images=true"];

    private sealed record Description(string Data, int Width, int Height, IReadOnlyList<Part> Parts, int Skipped, IReadOnlyDictionary<string, int> PassedOver);

    public static Command Create() => new CommandWithExamples("data", "Describe, fetch, verify or pack data.", """
        weaklink data describe photos/
        weaklink data fetch cifar10
        weaklink data verify cifar-10-binary.tar.gz
        weaklink data pack imagenet/ imagenet-64.pack --size 64
        """)
    {
        Describe(), Fetch(), Verify(), Pack(),
    };

    private static Command Describe()
    {
        var data = new Argument<string>("D") { Description = "shapes, cifar10, cifar100, a folder, an archive or a list of images." };
        var set = CommonOptions.Set("Change a key of data, such as data.limit=100; may be repeated (docs/recipes.md).");
        var skipBad = new Option<bool>("--skip-bad-images") { Description = "Count and pass over unreadable images instead of stopping." };
        var json = CommonOptions.Json();
        var command = new Command("describe", "Look at all images, and say how many there are of which class and size, and how they are split.") { data, set, skipBad, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            CommonOptions.RequireKeys(parsed.GetValue(set)!, "would change nothing: set keys that begin with data., or seed", "data.", "seed=");
            var recipe = new Recipe().With([.. parsed.GetValue(set)!, $"data.source={parsed.GetValue(data)}", .. parsed.GetValue(skipBad) ? SkipBad : []]);
            if (recipe.Data.Source == "shapes")
            {
                NativeLibraries.Load();
            }

            var splits = DataSources.Open(recipe.Data, recipe.Seed, screen, interruption.Token);
            Part[] parts = [PartOf("training", splits.Train), PartOf("validation", splits.Validation), PartOf("test", splits.Test)];
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new Description(splits.Train.Name, splits.Train.Width, splits.Train.Height, parts, splits.SkippedImages.Count, splits.PassedOver.Counts), Json.Indented));
                return ExitCode.Success;
            }

            screen.Line($"{splits.Train.Name}: {parts.Sum(part => part.Images):n0} images of {splits.Train.Width}x{splits.Train.Height} pixels in {splits.Train.Classes.Count} classes{(splits.SkippedImages.Count > 0 ? $"; {splits.SkippedImages.Count} unreadable ones skipped" : "")}");
            screen.Table(
                ["class", .. parts.Select(part => part.Name)],
                [
                    .. splits.Train.Classes.Select(name => (IReadOnlyList<string>)[name, .. parts.Select(part => $"{part.Classes[name]:n0}")]),
                    ["all", .. parts.Select(part => $"{part.Images:n0}")],
                ]);
            return ExitCode.Success;
        });
        return command;
    }

    private static Part PartOf(string name, Dataset images)
    {
        var counts = new int[images.Classes.Count];
        for (var i = 0; i < images.Count; i++)
        {
            counts[images.Label(i)]++;
        }

        return new Part(name, images.Count, images.Classes.Select((label, i) => (label, counts[i])).ToDictionary(pair => pair.label, pair => pair.Item2));
    }

    private static Command Fetch()
    {
        var name = new Argument<string>("NAME") { Description = string.Join(" or ", KnownDownloads.All.Select(known => known.Name)) };
        var command = new Command("fetch", $"Fetch a published data set into the cache folder ({CacheFolder.Variable}), resuming an interrupted download.") { name };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            var known = KnownDownloads.Find(parsed.GetValue(name)!)
                ?? throw new InputException($"'{parsed.GetValue(name)}' is not known: choose {string.Join(" or ", KnownDownloads.All.Select(known => known.Name))}.");
            var path = known.FetchAsync(CacheFolder.Default, new ObservedProgress("fetching", screen), interruption.Token).GetAwaiter().GetResult();
            screen.Line($"{known.Name} is in {path}");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Verify()
    {
        var data = new Argument<string>("D") { Description = "cifar10, cifar100, one of their archives, or any data: all of their images are then read." };
        var command = new Command("verify", "Check the checksum of a published archive, or read every image of other data.") { data };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            var source = parsed.GetValue(data)!;
            if (KnownDownloads.All.Any(known => source == known.Name || Path.GetFileName(source) == known.FileName))
            {
                var (path, known) = KnownDownloads.VerifyAsync(source, CacheFolder.Default, interruption.Token).GetAwaiter().GetResult();
                screen.Line($"{path} is {known.Name} as published ({known.Length:n0} bytes, checksum {known.Checksum})");
                return ExitCode.Success;
            }

            var splits = DataSources.Open(new DataRecipe { Source = source, SkipBadImages = true, CacheMegabytes = 0 }, 0, screen, interruption.Token);
            string[] unreadable = [.. splits.SkippedImages, .. new[] { splits.Train, splits.Validation, splits.Test }.SelectMany(part => Unreadable(part, screen, interruption.Token))];
            if (unreadable.Length > 0)
            {
                throw new InputException($"{unreadable.Length} images of {splits.Train.Name} can't be read: {string.Join(", ", unreadable.Take(10))}{(unreadable.Length > 10 ? ", ..." : "")}; remove or replace them, or pass --skip-bad-images when you train.");
            }

            screen.Line($"All {splits.Train.Count + splits.Validation.Count + splits.Test.Count:n0} images of {splits.Train.Name} can be read{(splits.PassedOver.Counts.Count > 0 ? "; what was passed over is named above" : "")}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static CommandWithExamples Pack()
    {
        var data = new Argument<string>("FOLDER") { Description = "A folder with one folder of images a class (or train, val and test folders of these), an archive of one, or a list of images." };
        var file = new Argument<string>("FILE") { Description = "The file to write." };
        var size = new Option<int?>("--size") { Description = "Scale the shorter side to so many pixels, and cut the square in the middle (default: the size that all images have).", HelpName = "N" };
        var set = CommonOptions.Set("Change a recipe key of data, such as data.filter=bicubic; may be repeated (docs/recipes.md).");
        var skipBad = new Option<bool>("--skip-bad-images") { Description = "Count and pass over unreadable images instead of stopping." };
        var command = new CommandWithExamples("pack", "Write the decoded images of a folder, scaled, into one file that --data reads in its place, without decoding.", """
            weaklink data pack imagenet/ imagenet-64.pack --size 64
            weaklink train --data imagenet-64.pack
            """)
        { data, file, size, set, skipBad };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            var (source, path) = (parsed.GetValue(data)!, parsed.GetValue(file)!);
            CommonOptions.RequireKeys(
                parsed.GetValue(set)!, "would change nothing, as all images are packed: set data.filter, data.size, data.skip-bad-images or data.cache-megabytes",
                "data.filter=", "data.size=", "data.skip-bad-images=", "data.cache-megabytes=");
            var recipe = new Recipe().With(
            [
                $"data.cache-megabytes={PackingMegabytes}", .. parsed.GetValue(set)!, $"data.source={source}", .. parsed.GetValue(skipBad) ? SkipBad : [],
                .. parsed.GetValue(size) is { } side ? (string[])[$"data.size={side}"] : [],
            ]);
            if (File.Exists(path) && ImageFile.IsImage(path))
            {
                throw new InputException($"'{path}' is an image, and would be overwritten: name another file, such as {Path.ChangeExtension(path, ".pack")}.");
            }

            var (images, skipped) = DataSources.Pack(recipe.Data, CommonOptions.NewFile(path, source), screen, interruption.Token);
            screen.Line($"{images:n0} images are in {path} ({new FileInfo(path).Length:n0} bytes){(skipped.Count > 0 ? $"; {skipped.Count:n0} unreadable ones were skipped: {string.Join(", ", skipped.Take(3))}{(skipped.Count > 3 ? ", ..." : "")}" : "")}. Train on it with: weaklink train --data {CommandLine.Quoted(path)}");
            return ExitCode.Success;
        });
        return command;
    }

    // Whatever is known of an image from before: this is asked for when a disk is doubted.
    private static IReadOnlyCollection<string> Unreadable(Dataset images, Screen screen, CancellationToken stop)
    {
        const int AtATime = 256;
        var unreadable = new ConcurrentBag<string>();
        screen.Begin("verifying", images.Count, "images");
        for (var first = 0; first < images.Count; first += AtATime)
        {
            stop.ThrowIfCancellationRequested();
            Parallel.For(first, Math.Min(first + AtATime, images.Count), () => new byte[images.BytesPerImage], (i, _, planes) =>
            {
                try
                {
                    images.Read(i, planes);
                }
                catch (InputException)
                {
                    unreadable.Add(images.Describe(i));
                }

                return planes;
            }, _ => { });
            screen.Advance(Math.Min(first + AtATime, images.Count));
        }

        return [.. unreadable.Order(StringComparer.Ordinal)];
    }
}
