using OwnNetwork;
using TorchSharp;
using WeakLink;
using WeakLink.Experiments;
using WeakLink.Interop;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: OwnNetwork PHOTOS RUN [KEY=VALUE...]");
    return 2;
}

// From here on recipes, run folders and checkpoints may name it.
NetworkCatalogue.Register(new SeparableFamily());
Allocator.KeepLargeBlocks();
try
{
    var recipe = RecipeFile.Load("few-images", [$"data.source={args[0]}", "model.name=separable-4", .. args[2..]]);
    var summary = Experiment.Run(recipe, args[1], resume: RunFolder.IsRun(args[1]), new SilentObserver());
    Console.WriteLine($"{summary.Model}: {summary.Clean.Top1:P1} of the test images are right; the weakest subnet found has {summary.Subnets?.Proposed.Min:P1}.");

    using var trained = TrainedModel.Load(args[1], torch.CPU);
    var model = Path.Combine(args[1], "model.onnx");
    new NetworkExport(trained.Network, trained.Classes, trained.Preparation).WriteOnnx(model);
    Console.WriteLine($"Exported to {model}.");
    return 0;
}
catch (InputException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
