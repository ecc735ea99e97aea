using System.CommandLine;
using WeakLink.Training;

namespace WeakLink.Cli;

/// <summary>Names what a mistyped command or option was meant to be.</summary>
internal static class Misspelling
{
    /// <summary>One sentence on the first word that means nothing, or null if that is not what is wrong.</summary>
    public static string? Explain(ParseResult parsed)
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
}
