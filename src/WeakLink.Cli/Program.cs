using System.CommandLine;
using WeakLink;
using WeakLink.Cli;
using WeakLink.Runtime;

Allocator.KeepLargeBlocks();
ThreadWaiting.KeepBrief();
LibtorchMessages.KeepQuiet();
Arithmetic.Said += sentence => Console.Error.WriteLine($"weaklink: {sentence}");

var root = new RootCommand("Train image classifiers that keep working when their input does not look like the training set (Enhancing Weak Subnets).")
{
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    CompareCommand.Create(),
    SubnetsCommand.Create(),
    PredictCommand.Create(),
    ReportCommand.Create(),
    DataCommand.Create(),
    AttackCommand.Create(),
    AugmentCommand.Create(),
    CorruptCommand.Create(),
    ExportCommand.Create(),
    ImportCommand.Create(),
    InfoCommand.Create(),
};
CommandWithExamples.ShowIn(root);

if (args.Length == 0)
{
    return root.Parse("--help").Invoke();
}

var parsed = root.Parse(args);
if (CommandLineMistakes.Explain(parsed).ToList() is { Count: > 0 } mistakes)
{
    foreach (var message in mistakes)
    {
        Console.Error.WriteLine($"weaklink: {message}");
    }

    Console.Error.WriteLine($"Run '{CommandLineMistakes.Name(parsed.CommandResult)} --help' to see what it takes.");
    return ExitCode.BadInput;
}

try
{
    CommandLineMistakes.RefuseEmpty(parsed);
    // Ctrl-C is ours: training saves a checkpoint first.
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (InputException exception)
{
    Console.Error.WriteLine($"weaklink: {exception.Message}");
    return ExitCode.BadInput;
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"weaklink: {exception.Message.TrimEnd('.')}: check the path, its permissions and the free space.");
    return ExitCode.BadInput;
}
catch (OperationCanceledException)
{
    return ExitCode.Interrupted;
}
