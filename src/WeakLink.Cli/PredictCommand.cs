using System.CommandLine;
using System.Text.Json;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink predict</c>: classifies image files.</summary>
internal static class PredictCommand
{
    private const int Best = 3;

    private sealed record Guess(string Class, double Confidence);

    private sealed record Prediction(string File, string Class, double Confidence, IReadOnlyList<Guess> Best);

    public static Command Create()
    {
        var model = CommonOptions.Model();
        var images = new Argument<string[]>("IMAGE") { Description = "Image files (JPEG, PNG, BMP, WebP, GIF), or folders of them.", Arity = ArgumentArity.OneOrMore };
        var skipBad = new Option<bool>("--skip-bad-images") { Description = "Count and pass over unreadable images instead of stopping." };
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("predict", "Classify image files: class and confidence for each.", """
            weaklink predict runs/photos-1 new/cat.jpg
            weaklink predict runs/photos-1 new/ --json
            """)
        { model, images, skipBad, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            NativeLibraries.Load();
            var files = Files(parsed.GetValue(images)!);
            var device = EnvironmentReport.TrainingDevice;
            using var trained = TrainedModel.Load(parsed.GetValue(model)!, device);
            var predictions = new List<Prediction>();
            var skipped = new List<string>();
            foreach (var chunk in files.Chunk(trained.Recipe.Evaluation.Batch))
            {
                interruption.Token.ThrowIfCancellationRequested();
                var found = Classify(trained, chunk, parsed.GetValue(skipBad) ? skipped : null, device);
                predictions.AddRange(found);
                if (!parsed.GetValue(json))
                {
                    foreach (var prediction in found)
                    {
                        screen.Line($"{prediction.Class}  {Screen.Percent(prediction.Confidence)}  {prediction.File}");
                    }
                }
            }

            if (skipped.Count > 0)
            {
                Console.Error.WriteLine($"Skipped {skipped.Count} unreadable images: {string.Join(", ", skipped.Take(3))}{(skipped.Count > 3 ? ", ..." : "")}");
            }

            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(predictions, Json.Indented));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static List<Prediction> Classify(TrainedModel trained, string[] files, List<string>? skipped, torch.Device device)
    {
        var decoded = new List<(string File, byte[] Planes)>();
        foreach (var file in files)
        {
            try
            {
                decoded.Add((file, ImageFile.DecodeTo(file, trained.Size.Width, trained.Size.Height)));
            }
            catch (InputException) when (skipped is not null)
            {
                skipped.Add(file);
            }
        }

        if (decoded.Count == 0)
        {
            return [];
        }

        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var dataset = new MemoryDataset("images", trained.Classes, trained.Size.Height, trained.Size.Width, [.. decoded.Select(image => image.Planes)], new int[decoded.Count]);
        var batch = Loaders.Measuring(trained.Recipe, dataset).InOrder().Single();
        var probabilities = FiniteLogits.Require(trained.Network.call(Pixels.ToUnit(batch.Images.to(device))), position => decoded[position].File).softmax(1).cpu();
        var classes = trained.Classes.Count;
        var values = probabilities.data<float>().ToArray();
        return [.. decoded.Select((image, i) =>
        {
            var best = Enumerable.Range(0, classes)
                .OrderByDescending(label => values[(i * classes) + label])
                .Take(Best)
                .Select(label => new Guess(trained.Classes[label], values[(i * classes) + label]))
                .ToList();
            return new Prediction(image.File, best[0].Class, best[0].Confidence, best);
        })];
    }

    private static List<string> Files(IEnumerable<string> paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                var passed = new PassedOver();
                var found = ImageFile.In(path, passed);
                files.AddRange(found.Count > 0 ? found : throw new InputException($"The folder '{path}' has no images ({ImageFile.Formats}): give another one.{(passed.Sentence() is { } left ? $" {left}" : "")}"));
                if (passed.Sentence() is { } sentence)
                {
                    Console.Error.WriteLine(sentence);
                }
            }
            else
            {
                files.Add(File.Exists(path) ? path : throw new InputException($"There is no image at '{path}': check the path."));
            }
        }

        return files;
    }
}
