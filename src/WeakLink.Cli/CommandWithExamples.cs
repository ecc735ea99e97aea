using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace WeakLink.Cli;

/// <summary>A command whose own help, but not that of the whole program, ends with examples.</summary>
internal sealed class CommandWithExamples(string name, string description, string examples) : Command(name, description)
{
    /// <summary>Makes the help of a program show the examples.</summary>
    public static void ShowIn(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new Help((SynchronousCommandLineAction)help.Action!);
    }

    private sealed class Help(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
    {
        // Who asks for help need not give what the command requires.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var result = usual.Invoke(parseResult);
            if (parseResult.CommandResult.Command is CommandWithExamples command)
            {
                parseResult.InvocationConfiguration.Output.WriteLine($"Examples:\n{command.Examples}\n");
            }

            return result;
        }
    }

    private string Examples => string.Join('\n', examples.Split('\n').Select(line => "  " + line));
}
