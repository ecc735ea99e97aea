using System.CommandLine;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary>Says what is wrong with a command line, and what may have been meant.</summary>
internal static class CommandLineMistakes
{
    /// <summary>One sentence for each mistake; only the first for words that mean nothing, since the others mostly follow from it.</summary>
    public static IEnumerable<string> Explain(ParseResult parsed) =>
        Stranger(parsed) is { } first ? [first] : parsed.Errors.Select(error => WithoutTypeNames(error.Message));

    private static string? Stranger(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var word, ..])
        {
            return null;
        }

        var command = parsed.CommandResult.Command;
        var whole = command is RootCommand ? "weaklink" : "weaklink " + command.Name;
        if (word.StartsWith('-'))
        {
            var (name, options) = (word.Split('=')[0], Options(command));
            var near = options.Keys.Where(option => IsNear(name, option)).ToList();
            return $"{whole} has no option '{name}'" + (near.Count > 0 ? $"; did you mean '{options[Nearest.To(name, near)]}'?" : ".");
        }

        var names = command.Subcommands.Select(known => known.Name).ToList();
        return names.Count == 0 ? null : $"{whole} has no command '{word}'; did you mean '{Nearest.To(word, names)}'? All: {string.Join(", ", names)}.";
    }

    // A third of its letters may be wrong, or too many at its end (--epsilon for --eps). What is farther away would only mislead.
    private static bool IsNear(string name, string option) =>
        (3 * Nearest.Distance(name, option) < name.Length) || (option.Length > 4 && name.StartsWith(option, StringComparison.Ordinal));

    // What one might write, and what it is called: other programs have options where WeakLink has recipe keys (--epochs).
    private static Dictionary<string, string> Options(Command command)
    {
        var options = command.Options.Where(option => !option.Hidden).ToDictionary(option => option.Name, option => option.Name);
        if (options.ContainsKey("--set"))
        {
            foreach (var (key, _, _) in RecipeFile.AllKeys())
            {
                options.TryAdd("--" + key[(key.LastIndexOf('.') + 1)..], $"--set {key}=...");
            }
        }

        return options;
    }

    // "Cannot parse argument 'x' for option '--seed' as expected type 'System.Nullable`1[System.Int64]'."
    private static string WithoutTypeNames(string message)
    {
        const string Type = " as expected type '";
        var at = message.IndexOf(Type, StringComparison.Ordinal);
        return at < 0 ? message : $"{message[..at]}: give a {(message.AsSpan(at).Contains("Int", StringComparison.Ordinal) ? "whole number" : "number")}.";
    }
}
