using System.CommandLine;
using WeakLink.Cli;
using WeakLink.Processes;
using WeakLink.Runtime;

var output = StandardStream.Output();
StandardStream.Error();
Command? command = null;
var (processes, error) = (ProcessGroup.Alone, Console.Error);
// An exception on another thread would end the process with a stack trace, too.
AppDomain.CurrentDomain.UnhandledException += (_, unhandled) => Environment.Exit(Report((Exception)unhandled.ExceptionObject));
try
{
    var code = Run(args);
    processes.Dispose();
    if (output.Failure is { } failure && code == ExitCode.Success)
    {
        Console.Error.WriteLine($"weaklink: standard output could not be written ({failure.Message.TrimEnd('.')}): send it to another place; files are complete.");
        return ExitCode.BadInput;
    }

    return code;
}
catch (Exception exception)
{
    return Report(exception);
}

// One that can't go on ends all. The first one speaks first: mostly all of them fail alike.
int Report(Exception exception)
{
    if (!processes.Leads)
    {
        Thread.Sleep(TimeSpan.FromSeconds(2));
    }

    Console.SetError(error);
    var code = Failure.Report(exception, command);
    error.Flush();
    processes.Abort(code);
    return code;
}

int Run(string[] args)
{
    processes = ProcessGroup.Join();
    processes.TakeShare();
    if (processes.Size > 1)
    {
        // What a launcher hands on is no terminal, even where it looks like one.
        Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    if (!processes.Leads)
    {
        Console.SetOut(TextWriter.Null);
        Console.SetError(TextWriter.Null);
    }

    Allocator.KeepLargeBlocks();
    ThreadWaiting.KeepBrief();
    LibtorchMessages.KeepQuiet();
    Arithmetic.Said += sentence => Console.Error.WriteLine($"weaklink: {sentence}");

    var shared = new HashSet<Command>();
    Command Shared(Command command)
    {
        shared.Add(command);
        return command;
    }

    var root = new RootCommand("Train image classifiers that keep working when their input does not look like the training set (Enhancing Weak Subnets).")
    {
        Shared(TrainCommand.Create(processes)),
        Shared(EvaluateCommand.Create(processes)),
        Shared(CompareCommand.Create(processes)),
        Shared(SubnetsCommand.Create(processes)),
        PredictCommand.Create(),
        ReportCommand.Create(),
        DataCommand.Create(),
        Shared(AttackCommand.Create(processes)),
        AugmentCommand.Create(),
        Shared(CorruptCommand.Create(processes)),
        ExportCommand.Create(),
        ImportCommand.Create(),
        InfoCommand.Create(),
    };
    CommandWithExamples.ShowIn(root);

    if (args.Length == 0)
    {
        return root.Parse("--help").Invoke();
    }

    // A file may be called @1.png, and none is full of arguments.
    var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
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
    if (!processes.Leads && !shared.Contains(command))
    {
        // What is not shared the first process does.
        return ExitCode.Success;
    }

    // Ctrl-C is ours: training saves a checkpoint first.
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
