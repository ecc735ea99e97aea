using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using WeakLink.Runs;
using WeakLink.Sources;

namespace WeakLink.Cli;

/// <summary><c>weaklink predict</c>: classifies image files.</summary>
internal static class PredictCommand
{
    private const int Best = 3;
    // Characters: some million paths.
    private const int LongestList = 500_000_000;

    private sealed record Guess(string Class, double Confidence);

    private sealed record Prediction(string File, string Class, double Confidence, IReadOnlyList<Guess> Best);

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A run folder, a .safetensors checkpoint, or an .onnx model of weaklink export (which ONNX Runtime then computes)." };
        var images = new Argument<string[]>("IMAGE") { Description = "Image files (JPEG, PNG, BMP, WebP, GIF), or folders of them; - for an image on standard input.", Arity = ArgumentArity.ZeroOrMore };
        var list = new Option<string?>("--list") { Description = "A file with the path of an image on every line, or - for standard input.", HelpName = "FILE" };
        var skipBad = new Option<bool>("--skip-bad-images") { Description = "Count and pass over unreadable images instead of stopping." };
        var csv = new Option<bool>("--csv") { Description = "Print comma-separated values: file, class, confidence." };
        var json = CommonOptions.Json();
        var command = new CommandWithExamples("predict", "Classify image files: class and confidence for each.", """
            weaklink predict runs/photos-1 new/cat.jpg
            weaklink predict runs/photos-1 new/ --csv > classes.csv
            find new -name '*.jpg' | weaklink predict runs/photos-1 --list - --json
            weaklink predict photos.onnx new/cat.jpg
            curl -s https://example.org/cat.jpg | weaklink predict runs/photos-1 -
            """)
        { model, images, list, skipBad, csv, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(parsed.GetValue(json));
            if (parsed.GetValue(json) && parsed.GetValue(csv))
            {
                throw new InputException("--json and --csv are two forms of the same results: choose one.");
            }

            var files = Files(parsed.GetValue(images)!, parsed.GetValue(list));
            var name = parsed.GetValue(model)!;
            using var predictor = OnnxNetwork.IsOne(name) ? OnnxNetwork.Load(name) : Predictor.Load(name);
            if (parsed.GetValue(csv))
            {
                Console.Out.WriteLine("file,class,confidence");
            }

            var documents = new List<Prediction>();
            var skipped = new List<string>();
            foreach (var chunk in files.Chunk(predictor.Batch))
            {
                interruption.Token.ThrowIfCancellationRequested();
                foreach (var found in predictor.Predict(Prepared(predictor, chunk, parsed.GetValue(skipBad) ? skipped : null)))
                {
                    if (parsed.GetValue(json))
                    {
                        documents.Add(new Prediction(found.Name, found.Class, found.Confidence, [.. found.Probabilities.Take(Best).Select(one => new Guess(one.Class, one.Probability))]));
                    }
                    else if (parsed.GetValue(csv))
                    {
                        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Csv.Cell(found.Name)},{Csv.Cell(found.Class)},{found.Confidence:0.0000}"));
                    }
                    else
                    {
                        screen.Line($"{found.Class}  {Screen.Percent(found.Confidence)}  {found.Name}");
                    }
                }
            }

            if (skipped.Count > 0)
            {
                Console.Error.WriteLine($"Skipped {skipped.Count} unreadable images: {string.Join(", ", skipped.Take(3))}{(skipped.Count > 3 ? ", ..." : "")}");
            }

            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(documents, Json.Indented));
            }

            return ExitCode.Success;
        });
        return command;
    }

    // Decoding takes longer than a small network.
    private static List<PreparedImage> Prepared(Predictor predictor, string[] files, List<string>? skipped)
    {
        var prepared = new PreparedImage?[files.Length];
        var faults = new InputException?[files.Length];
        Parallel.For(0, files.Length, i =>
        {
            try
            {
                prepared[i] = files[i] == CommonOptions.StandardInput ? FromStandardInput(predictor) : predictor.Prepare(files[i]);
            }
            catch (InputException fault)
            {
                faults[i] = fault;
            }
        });
        for (var i = 0; i < files.Length; i++)
        {
            if (faults[i] is { } fault)
            {
                (skipped ?? throw fault).Add(files[i]);
            }
        }

        return [.. prepared.OfType<PreparedImage>()];
    }

    private static PreparedImage FromStandardInput(Predictor predictor)
    {
        using var input = Console.OpenStandardInput();
        return predictor.Prepare(input, CommonOptions.StandardInput);
    }

    private static List<string> Files(string[] paths, string? list)
    {
        if (paths.Length == 0 && list is null)
        {
            throw new InputException("There is nothing to classify: name images or folders, or a --list of them.");
        }

        if (paths.Count(path => path == CommonOptions.StandardInput) + (list == CommonOptions.StandardInput ? 1 : 0) > 1)
        {
            throw new InputException("Standard input holds one image or one list: name - once.");
        }

        var files = new List<string>();
        foreach (var path in paths.Concat(list is null ? [] : Listed(list)))
        {
            if (path == CommonOptions.StandardInput)
            {
                files.Add(path);
            }
            else if (Directory.Exists(path))
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

    private static List<string> Listed(string list)
    {
        if (list != CommonOptions.StandardInput && !File.Exists(list))
        {
            throw new InputException($"There is no list at '{list}': check the path.");
        }

        var text = list == CommonOptions.StandardInput ? TextFile.Read(Console.In, "standard input", LongestList) : TextFile.Read(list, LongestList);
        List<string> lines = [.. text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0)];
        return lines.Count > 0 ? lines : throw new InputException($"The list '{list}' is empty: write the path of an image on every line.");
    }
}
