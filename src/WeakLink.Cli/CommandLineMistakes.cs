using System.CommandLine;
using System.CommandLine.Parsing;
using WeakLink.Recipes;

namespace WeakLink.Cli;

/// <summary>Says what is wrong with a command line, and what may have been meant.</summary>
internal static class CommandLineMistakes
{
    /// <summary>One sentence for each mistake; only the first for words that mean nothing, since the others mostly follow from it.</summary>
    public static IEnumerable<string> Explain(ParseResult parsed) =>
        Stranger(parsed) is { } first ? [first] : parsed.Errors.Select(error => WithoutTypeNames(error.Message));

    /// <summary>Refuses a value that is empty, mostly a shell variable that is not set.</summary>
    /// <exception cref="InputException">There is one.</exception>
    public static void RefuseEmpty(ParseResult parsed)
    {
        foreach (var given in parsed.CommandResult.Children.Where(given => given.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value))))
        {
            throw new InputException(given is OptionResult option
                ? $"{option.Option.Name} is empty: name something, or leave the option out."
                : $"{((ArgumentResult)given).Argument.Name} is empty: name something.");
        }
    }

    /// <summary>Refuses a recipe key that is set where an option says the same: one of them would count, and the other be passed over without a word.</summary>
    /// <exception cref="InputException">There is one.</exception>
    public static void RefuseTwoWays(ParseResult parsed)
    {
        var given = parsed.CommandResult.Children.OfType<OptionResult>().Where(option => !option.Implicit).ToDictionary(option => option.Option.Name, option => option.Tokens);
        foreach (var key in given.GetValueOrDefault("--set", []).Select(token => token.Value.Split('=')[0].Trim()))
        {
            var option = key switch
            {
                // Which images the data must have, not where they are.
                "data.fingerprint" => null,
                // Elsewhere --seed is that of an attack, of corruptions or of a subnet.
                "seed" => parsed.CommandResult.Command.Name == "train" ? "--seed" : null,
                _ => CommandLanguage.Options.GetValueOrDefault(key),
            };
            if (option is not null && given.ContainsKey(option))
            {
                throw new InputException($"{option} and --set {key} say the same, and only one of them would count: leave one out.");
            }
        }
    }

    /// <summary>The command as one writes it, such as "weaklink data describe".</summary>
    public static string Name(CommandResult command) => command.Parent is CommandResult parent ? $"{Name(parent)} {command.Command.Name}" : "weaklink";

    private static string? Stranger(ParseResult parsed)
    {
        var (command, whole) = (parsed.CommandResult.Command, Name(parsed.CommandResult));
        // An argument that takes many files takes a misspelt option, too.
        var taken = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        if (parsed.UnmatchedTokens.Concat(taken).FirstOrDefault(given => given.StartsWith('-') && given != CommonOptions.StandardInput && !Path.Exists(given)) is { } option)
        {
            var (name, options) = (option.Split('=', ':')[0], Options(command));
            var near = options.Keys.Where(known => IsNear(name, known)).ToList();
            return $"{whole} has no option '{name}'" + (near.Count > 0 ? $"; did you mean '{options[Nearest.To(name, near)]}'?" : ".");
        }

        var names = command.Subcommands.Select(known => known.Name).ToList();
        if (names.Count == 0 || parsed.UnmatchedTokens is not [var word, ..])
        {
            return null;
        }

        var similar = names.Where(known => IsNear(word, known)).ToList();
        return $"{whole} has no command '{word}'{(similar.Count > 0 ? $"; did you mean '{Nearest.To(word, similar)}'?" : ".")} All: {string.Join(", ", names)}.";
    }

    // About a third of the letters may be wrong, or some missing or too many at the end (--epsilon for --eps). What is farther away would only
    // mislead.
    private static bool IsNear(string name, string known) =>
        (3 * Nearest.Distance(name, known) <= name.TrimStart('-').Length + 1)
        || (name.Length > 4 && known.StartsWith(name, StringComparison.Ordinal))
        || (known.Length > 4 && name.StartsWith(known, StringComparison.Ordinal));

    // What one might write, and what it is called: other programs have options where WeakLink has recipe keys (--epochs).
    private static Dictionary<string, string> Options(Command command)
    {
        var options = command.Options.Where(option => !option.Hidden).ToDictionary(option => option.Name, option => option.Name);
        if (command.Name is "train" or "compare")
        {
            foreach (var (key, _) in RecipeKeys.All)
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
