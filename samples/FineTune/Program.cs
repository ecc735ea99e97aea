using WeakLink;
using WeakLink.Experiments;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: FineTune PHOTOS RUN [KEY=VALUE...]");
    return 2;
}

Allocator.KeepLargeBlocks();
var (photos, run) = (args[0], args[1]);
var resume = RunFolder.IsRun(run);
try
{
    // A network that was trained on ImageNet; model.weights=FILE takes another one. Photos of any size become 64x64 pixels.
    var recipe = resume ? new Recipe() : RecipeFile.Load("fine-tune", [$"data.source={photos}", "data.size=64", "model.weights=resnet20-imagenet", .. args[2..]]);
    var summary = Experiment.Run(recipe, run, resume, new EpochLines());
    Console.WriteLine($"{summary.Clean.Top1:P1} of the test images are right, {summary.Corruptions?.Accuracy:P1} under common corruptions. {RunFolder.WeightsOf(run)} says what came from the weights.");
    return 0;
}
catch (InputException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
