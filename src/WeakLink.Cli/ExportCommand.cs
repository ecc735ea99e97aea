using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Interop;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Cli;

/// <summary><c>weaklink export</c>: a trained network, or a subnet of it, for other programs.</summary>
internal static partial class ExportCommand
{
    private const string Onnx = "onnx";
    private const string SafeTensors = "safetensors";

    public static Command Create()
    {
        var model = CommonOptions.Model();
        var output = new Option<string>("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        var format = new Option<string?>("--format") { Description = $"{Onnx} (opset {NetworkExport.OnnxOpset}) or {SafeTensors} (PyTorch's parameter names); default: what --out ends with.", HelpName = $"{Onnx}|{SafeTensors}" };
        var width = new Option<double?>("--subnet-width") { Description = "Export a random subnet of this width, in (0, 1], as a smaller network of its own; its batch-norm statistics are re-estimated on training images.", HelpName = "0.7" };
        var file = new Option<string?>("--subnet") { Description = "Export the subnet of this file instead, such as the weakest that weaklink subnets found.", HelpName = "FILE" };
        var seed = new Option<long>("--seed") { Description = "Which subnet (default 0).", HelpName = "N" };
        var data = CommonOptions.Data("Whose training images re-estimate the subnet's statistics (default: those of the run).");
        var set = CommonOptions.Set("Change how a subnet's statistics are re-estimated: evaluation.recalibration-images, training.batch, training.workers and data. keys.");
        var command = new CommandWithExamples("export", "Write a trained network, or a subnet, for ONNX Runtime, PyTorch and others.", """
            weaklink export runs/photos-1 --out photos.onnx
            weaklink export runs/photos-1 --out photos.safetensors
            weaklink export runs/photos-1 --out small.onnx --subnet-width 0.7 --seed 3
            weaklink export runs/photos-1 --out small.onnx --subnet-width 0.7 --set evaluation.recalibration-images=0
            weaklink export runs/photos-1 --out weak.onnx --subnet runs/photos-1/weakest-subnet.json
            """)
        { model, output, format, width, file, seed, data, set };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption();
            var screen = new Screen(json: false);
            var target = CommonOptions.NewFile(parsed.GetValue(output)!, [parsed.GetValue(model)!, .. parsed.GetValue(file) is { } read ? (string[])[read] : []]);
            var kind = Format(parsed.GetValue(format), target);
            if (parsed.GetValue(width) is { } asked and not (> 0 and <= 1))
            {
                throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--subnet-width {asked} must be above 0 and at most 1."));
            }

            if (parsed.GetValue(width) is not null && parsed.GetValue(file) is { } named)
            {
                throw new InputException($"--subnet-width draws a subnet, --subnet {named} reads one: leave out one of them.");
            }

            var settings = parsed.GetValue(set)!;
            if (parsed.GetValue(width) is null && parsed.GetValue(file) is null && (settings.Length > 0 || parsed.GetValue(data) is not null || parsed.GetResult(seed) is { Implicit: false }))
            {
                throw new InputException("--set, --data and --seed are about a subnet (which one, and how its statistics are re-estimated), but the whole network is exported, just as it was trained: leave them out, or add --subnet-width or --subnet.");
            }

            if (settings.FirstOrDefault(pair => !ForRecalibration.IsMatch(pair)) is { } other)
            {
                throw new InputException($"--set {other} would change the network or what comes before it, which its training has settled: set evaluation.recalibration-images, training.batch, training.workers or keys that begin with data. (but not data.size) only.");
            }

            NativeLibraries.Load();
            using var trained = TrainedModel.Load(parsed.GetValue(model)!, torch.CPU);
            var recipe = trained.Recipe.With([.. CommonOptions.OtherData(parsed.GetValue(data)), .. settings]);
            var subnet = parsed.GetValue(width) is { } share ? Drawn(trained, share, parsed.GetValue(seed))
                : parsed.GetValue(file) is { } path ? SubnetFile.Read(path, trained.Network.Name, trained.Network.Space)
                : null;
            var images = recipe.Evaluation.RecalibrationImages;
            using var statistics = subnet is null || images == 0
                ? null
                : SubnetEvaluation.Recalibrate(trained.Network, subnet, Loaders.Recalibrating(recipe, KnownClasses.Open(recipe, trained, screen, interruption.Token).Train), images, torch.CPU, parsed.GetValue(seed));
            var preparation = trained.Preparation;
            var export = new NetworkExport(trained.Network, trained.Classes, preparation) { Subnet = subnet, Statistics = statistics };
            if (kind == Onnx)
            {
                export.WriteOnnx(target);
            }
            else
            {
                export.WriteSafeTensors(target);
            }

            var what = subnet is null ? trained.Network.Name : $"a subnet of {trained.Network.Name}";
            var operations = trained.Network.MultiplyAdds(preparation.CropHeight, preparation.CropWidth, subnet);
            screen.Line($"{target}: {what}, {export.ParameterCount:n0} parameters, {operations:n0} multiply-adds an image; {(kind == Onnx ? $"images (N×3×{preparation.CropHeight}×{preparation.CropWidth} in [0, 1]) to logits (N×{trained.Classes.Count}), opset {NetworkExport.OnnxOpset}" : "PyTorch's parameter names")}.");
            return ExitCode.Success;
        });
        return command;
    }

    [GeneratedRegex(@"^\s*(evaluation\.recalibration-images|training\.(batch|workers)|data\.(?!size\b)[a-z-]+)\s*(=|$)")]
    private static partial Regex ForRecalibration { get; }

    private static string Format(string? format, string path) => (format, Path.GetExtension(path).ToLowerInvariant()) switch
    {
        (Onnx, "." + SafeTensors) or (SafeTensors, "." + Onnx) => throw new InputException($"--out {path} and --format {format} contradict each other: change one."),
        (Onnx or SafeTensors, _) => format!,
        (not null, _) => throw new InputException($"--format {format} is not known: choose {Onnx} or {SafeTensors}."),
        (null, "." + Onnx) => Onnx,
        (null, "." + SafeTensors) => SafeTensors,
        _ => throw new InputException($"--out {path} ends in neither .{Onnx} nor .{SafeTensors}: choose with --format."),
    };

    private static Subnet Drawn(TrainedModel trained, double width, long seed)
    {
        using var search = new RandomSearch(trained.Network.Space, width);
        return search.Propose(new SearchContext(new SeededRandom(seed, RandomUse.SubnetEvaluation)));
    }
}
