using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using WeakLink.Comparisons;
using WeakLink.Evaluation;
using WeakLink.Experiments;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Reports;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Fuzzing;

/// <summary>Recipes, and what a run keeps of itself.</summary>
internal static class TextReaders
{
    // A page with its plots takes a tenth of a second.
    private const double Drawn = 0.02;

    private const string PictureName = "hardest-01.png";
    private static readonly byte[] Picture = [0x89, .. "PNG\r\n\x1A\n and what else makes a picture"u8];
    private static readonly string PictureChecksum = ExampleDrawing.ChecksumOf(Picture);

    // Named after what it rests on. Before All, which names it.
    private static (string Name, byte[] Bytes) Measured { get; } = Measure();

    public static IReadOnlyList<Reader> All { get; } =
    [
        new("recipe", "x.yaml", ["RecipeFile.Load", "RecipeFile.Parse"], () => [.. RecipeFile.Names.Select(name => Bytes(RecipeFile.ToYaml(RecipeFile.Load(name, [])))), Bytes("model: {name: resnet8, mean: [0.5, 0.4, 0.3], standard-deviation: [1, 1, 1]}\n\"ews\":\n  width: 0.5\n")], (input, value) =>
            value.Add(RecipeFile.ToYaml(RecipeFile.Load(input.Path, [])))) { IsText = true },
        new("overrides", "x.txt", ["RecipeFile.Parse"], () => [.. RecipeFile.Names.Select(name => Bytes(string.Join('\n', RecipeKeys.ValuesOf(RecipeFile.Load(name, [])).Select(key => $"{key.Name}={key.Value}"))))], (input, value) =>
            value.Add(RecipeFile.ToYaml(RecipeFile.Load("small", Encoding.UTF8.GetString(input.Bytes).Split('\n'))))) { IsText = true },
        new("run-recipe", "recipe.yaml", ["RecipeFile.Load"], () => [Recipe(0), Recipe(1)], Compare) { IsText = true, Beside = folder => WriteRun(folder, "recipe.yaml") },
        new("summary", "summary.json", ["Summary.Read"], () => [Summary(0), Summary(1)], Compare) { IsText = true, IsChecked = true, Beside = folder => WriteRun(folder, "summary.json") },
        new("metrics", "metrics.jsonl", ["RunFolder.ReadEpochs", "RunFolder.Lines"], () => [Metrics(2), Metrics(3)], Compare) { IsText = true, Beside = folder => WriteRun(folder, "metrics.jsonl") },
        new("environment", "environment.json", ["RunFolder.EnvironmentOf"], () => [Machine("a"), Machine("b")], (input, value) =>
            value.Add(RunFolder.EnvironmentOf(input.Folder)?.ToString() ?? "unknown")) { IsText = true },
        new("weights", "weights.json", ["TakenWeights.Of"], () => [Taken("a"), Taken("b")], (input, value) =>
            value.Add(TakenWeights.Of(input.Folder)?.ToString() ?? "none")) { IsText = true },
        new("summary-page", "summary.json", ["Summary.Read"], () => [Summary(0), Summary(1)], Draw) { IsText = true, IsChecked = true, Share = Drawn, Beside = folder => WriteRun(folder, "summary.json") },
        new("summary-report", "summary.json", ["Summary.Read"], () => [Summary(0), Summary(1)], (input, value) =>
            value.Add(RunReport.CreatePage(input.Folder, WeakLink.Runs.Summary.Read(input.Path)).ToHtml())) { IsText = true, Share = Drawn, Seal = Resealed, Beside = folder => WriteRun(folder, "summary.json") },
        new("picture", PictureName, ["ResultFiles.Picture"], () => [Picture], (input, value) =>
            value.Add(ResultFiles.Picture(input.Folder, new Example("cat", "dog", PictureName, PictureChecksum)))) { IsChecked = true },
        new("metrics-page", "metrics.jsonl", ["RunFolder.ReadEpochs"], () => [Metrics(2), Metrics(3)], Draw) { IsText = true, Share = Drawn, Beside = folder => WriteRun(folder, "metrics.jsonl") },
        new("subnet", "x.json", ["SubnetFile.Read"], () => [Kept([0, 1], [0, 2, 3]), Kept([1], [1])], (input, value) =>
            value.Add(JsonSerializer.Serialize(SubnetFile.Read(input.Path, "resnet8", Space).Kept, Json.Line))) { IsText = true, IsChecked = true },
        new("class-list", "x.txt", ["ClassNames.Read", "ImportCommand.ClassNames"], () => [Bytes("cat\ndog\nship\n"), Bytes("\ufeffa b\r\nc,d\r\n")], (input, value) =>
            value.Add(string.Join('|', ClassNames.Read(input.Path)))) { IsText = true },
        new("image-table", "x.csv", ["ImageList.Entries"], () => [Bytes("file,label,split\na.png,cat,train\n\"b,1.png\",dog,test\n"), Bytes("\ufeffpath,class\r\nc.png,2\r\n")], List) { IsText = true },
        new("image-lines", "x.jsonl", ["ImageList.Entries", "ImageList.OfLine"], () => [Bytes("{\"file\": \"a.png\", \"label\": 3}\n{\"file\": \"b.png\", \"label\": \"cat\"}\n"), Bytes("{\"path\": \"a\", \"class\": \"c\", \"split\": \"val\"}")], List) { IsText = true },
        new("commands", "commands.txt", ["RunFolder.Lines"], () => [Bytes("weaklink train\nweaklink train --resume\n")], (input, value) => value.Add(RunFolder.CommandsOf(input.Folder))) { IsText = true },
        new("budget", "budget.json", ["ComputeBudget.Read"], () => [Bytes(Json.Sealed(new { Costs = new Dictionary<string, double> { ["plain in plain"] = 1, ["ews in plain"] = 1.9 } }))], (input, value) =>
            value.Add(string.Join('|', ComputeBudget.Read(input.Path)))) { IsText = true },
        new("measuring", Measured.Name, ["KeptResults.Open", "KeptResults.Parse", "KeptResults.TryFind"], () => [Measured.Bytes], (input, value) =>
        {
            var kept = KeptResults.Open(input.Folder, "run");
            value.Add(kept.TryFind<double[]>("clean", out var clean) ? string.Join('|', clean) : "");
            value.Add(kept.TryFind<SpreadSummary>("random", out var random) ? JsonSerializer.Serialize(random, Json.Line) : "");
        })
        { IsText = true },
        new("attack-progress", "x.json", ["AttackState.Open"], Progress, (input, value) =>
        {
            var progress = AttackState.Open(input.Path, "pgd", 5, 2, new SilentObserver());
            value.Add(JsonSerializer.Serialize(new { progress.CleanDone, progress.Stage, progress.Run, progress.NextIndex, progress.BrokenBy, progress.Stages, progress.Robust }, Json.Line));
        })
        { IsText = true },
    ];

    private static void List(Input input, FoundValue value)
    {
        var splits = ImageList.Read(input.Path);
        foreach (var (name, images) in new[] { splits.Train, splits.Validation, splits.Test }.OfType<FolderPart>().SelectMany(part => part.Classes))
        {
            value.Add($"{name} {string.Join('|', images.Select(image => Path.GetRelativePath(input.Folder, image)))}");
        }
    }

    private static SubnetSpace Space => new([new Choice("layer1.0.paths", 2), new Choice("layer1.0.channels", 4)]);

    private static byte[] Kept(params long[][] kept)
    {
        var path = Path.GetTempFileName();
        SubnetFile.Write(path, "resnet8", Space, new Subnet(kept));
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Recipe(long seed) => Bytes(RecipeFile.ToYaml(RecipeFile.Load("small", [FormattableString.Invariant($"seed={seed}")])));

    private static byte[] Summary(long seed) => Bytes(new Summary
    {
        Data = "shapes",
        Model = "resnet8",
        Seed = seed,
        Ews = "policy",
        Images = 100,
        Parameters = 1000,
        Epochs = 2,
        Format = "fp32 contiguous",
        Clean = new CleanSummary(0.5, 0.9, 1.5, 0.01),
        Subnets = new SubnetSummary(0.7, 100, 10, 0.5, SpreadSummary.Of([0.3, 0.4]), SpreadSummary.Of([0.2, 0.3])),
        Corruptions = new CorruptionSummary(100, "generated", "cifar", null, 0.4, null, null, null, new Dictionary<string, IReadOnlyList<double>> { ["fog"] = [0.5, 0.6, 0.7, 0.8, 0.9], ["snow"] = [0.5, 0.55, 0.6, 0.7, 0.8] }, 1, 1),
        Perturbations = new PerturbationSummary(10, "generated", 0.1, 1, null, null, null, new Dictionary<string, double> { ["rotate"] = 0.1 }, new Dictionary<string, double> { ["rotate"] = 1 }, 1, 1),
        Version = WeakLink.Runs.Summary.CurrentVersion,
        Command = "weaklink evaluate run",
        Settings = new Dictionary<string, string> { ["evaluation.batch"] = "256" },
        Calibration = [new CalibrationBin(40, 0.4, 0.5), new CalibrationBin(60, 0.9, 0.5)],
        Classes = new Dictionary<string, ClassAccuracy> { ["cat"] = new(50, 0.5, new Dictionary<string, int> { ["dog"] = 25 }), ["dog"] = new(50, 0.5, new Dictionary<string, int> { ["cat"] = 25 }) },
        Curve = new RobustnessCurve(100, 10, [new(0, 0.5), new(1.0 / 255, 0.25)]),
        Examples = new Examples(3, [new("cat", "cat", PictureName, PictureChecksum, 0.9), new("cat", "dog", PictureName, PictureChecksum, 0.9, "fog")], [new("cat", "dog", PictureName, PictureChecksum, Eps: 1.0 / 255)], [new("cat", "dog", PictureName, PictureChecksum, 0.8, Times: 3)], [new("dog", "cat", PictureName, PictureChecksum, 0.7)]),
        Attacks = new Dictionary<string, IReadOnlyDictionary<string, RobustSummary>>
        {
            ["pgd"] = new Dictionary<string, RobustSummary> { ["linf"] = new(0.03, 100, 0.5, 0.1, 0, [new AttackStage("pgd", 50, 40, 1, 100, 100)], new Dictionary<string, ClassSummary> { ["cat"] = new(0.5, 0.1) }, ["weak"]) },
        },
        Seconds = new SecondsSummary(60, 1, 100),
    }.ToJson());

    private static (string Name, byte[] Bytes) Measure()
    {
        var folder = Directory.CreateTempSubdirectory("weaklink-fuzzing-");
        var kept = KeptResults.Open(folder.FullName, "run");
        kept.Add<double[]>("clean", [0.5, 0.25], 1);
        kept.Add("random", SpreadSummary.Of([0.3, 0.4]), 1);
        var file = folder.GetFiles().Single();
        var measured = (file.Name, File.ReadAllBytes(file.FullName));
        folder.Delete(recursive: true);
        return measured;
    }

    private static byte[] Metrics(int epochs) => Bytes(string.Concat(Enumerable.Range(1, epochs).Select(epoch =>
        JsonSerializer.Serialize(new EpochMetrics(epoch, 20 * epoch, 0.1, 1, 0, 0.5, 0.4 + (0.1 * epoch), 1, null, 1, 100, 0), Json.Line) + "\n")));

    private static byte[] Machine(string processor) => Bytes(JsonSerializer.Serialize(new EnvironmentReport("0.1.0", "10.0", "Linux", processor, 2, "AVX2", false, "2.10", "cpu", 2, null), Json.Indented));

    private static byte[] Taken(string name) => Bytes(JsonSerializer.Serialize(
        new TakenWeights { Weights = name, Sha256 = "ab", Network = "resnet8", Taken = 3, Left = ["x"], New = [], Classifier = "new", Converted = [], Mean = [0.5, 0.4, 0.3], StandardDeviation = [1, 1, 1] }, Json.Indented));

    private static IReadOnlyList<byte[]> Progress()
    {
        var path = Path.GetTempFileName();
        File.Delete(path);
        var progress = AttackState.Open(path, "pgd", 5, 2, new SilentObserver());
        progress.Save();
        var fresh = File.ReadAllBytes(path);
        progress.AddClean([0, 1, 2, 3, 4], [true, true, false, true, true]);
        progress.EndClean();
        progress.Break(1, 0);
        progress.Add(0, [0, 1, 3], 1, 0.5, 10, 10);
        progress.Save();
        var later = File.ReadAllBytes(path);
        File.Delete(path);
        return [fresh, later];
    }

    // What was changed, as if it had been written so.
    private static byte[] Resealed(byte[] summary)
    {
        try
        {
            if (JsonNode.Parse(summary) is not JsonObject document)
            {
                return summary;
            }

            document.Remove("checksum");
            return Bytes(Json.Sealed(document));
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            return summary;
        }
    }

    private static void WriteRun(string folder, string but)
    {
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(RunFolder.ResultsOf(folder)).FullName, PictureName), Picture);
        var other = Directory.CreateDirectory(Path.Combine(folder, "other")).FullName;
        foreach (var (name, bytes) in new[] { ("recipe.yaml", Recipe(1)), ("summary.json", Summary(1)), ("metrics.jsonl", Metrics(2)), ("environment.json", Machine("a")) })
        {
            File.WriteAllBytes(Path.Combine(other, name), bytes);
            if (name != but)
            {
                File.WriteAllBytes(Path.Combine(folder, name), bytes);
            }
        }
    }

    // As the compare command does: what is read is also used.
    private static void Compare(Input input, FoundValue value) => value.Add(Comparing(input).ToJson("weaklink compare"));

    private static void Draw(Input input, FoundValue value) => value.Add(ComparisonReport.CreatePage(Comparing(input), "weaklink compare").ToHtml());

    private static Comparison Comparing(Input input) =>
        Comparison.Of(ComparedArm.Group([new NamedRun("first", input.Folder), new NamedRun("second", Path.Combine(input.Folder, "other"))]));
}
