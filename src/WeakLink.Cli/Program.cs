using System.CommandLine;
using WeakLink.Cli;
using WeakLink.Runtime;

var output = StandardStream.Output();
StandardStream.Error();
Command? command = null;
// An exception on another thread would end the process with a stack trace, too.
AppDomain.CurrentDomain.UnhandledException += (_, unhandled) => Environment.Exit(Failure.Report((Exception)unhandled.ExceptionObject, command));
try
{
    var code = Run(args);
    if (output.Failure is { } failure && code == ExitCode.Success)
    {
        Console.Error.WriteLine($"weaklink: standard output could not be written ({failure.Message.TrimEnd('.')}): send it to another place; files are complete.");
        return ExitCode.BadInput;
    }

    return code;
}
catch (Exception exception)
{
    return Failure.Report(exception, command);
}

int Run(string[] args)
{
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
    command = parsed.CommandResult.Command;
    if (CommandLineMistakes.Explain(parsed).ToList() is { Count: > 0 } mistakes)
    {
        foreach (var message in mistakes)
        {
            Console.Error.WriteLine($"weaklink: {message}");
        }

        Console.Error.WriteLine($"Run '{CommandLineMistakes.Name(parsed.CommandResult)} --help' to see what it takes.");
        return ExitCode.BadInput;
    }

    CommandLineMistakes.RefuseEmpty(parsed);
    CommandLineMistakes.RefuseTwoWays(parsed);
    // Ctrl-C is ours: training saves a checkpoint first.
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
