using WeakLink;
using WeakLink.Experiments;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: TrainOnFolder PHOTOS RUN [KEY=VALUE...]");
    return 2;
}

Allocator.KeepLargeBlocks();
var (photos, run) = (args[0], args[1]);
var resume = RunFolder.IsRun(run);
try
{
    var recipe = resume ? new Recipe() : RecipeFile.Load("few-images", [$"data.source={photos}", .. args[2..]]);
    var summary = Experiment.Run(recipe, run, resume, new EpochLines());
    Console.WriteLine($"{summary.Clean.Top1:P1} of the test images are right, {summary.Corruptions?.Accuracy:P1} under common corruptions; the weakest subnet found has {summary.Subnets?.Proposed.Min:P1}.");
    return 0;
}
catch (InputException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
