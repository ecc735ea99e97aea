using System.CommandLine;
using System.Text.RegularExpressions;

namespace WeakLink.Cli;

/// <summary>
/// What the library's sentences mean at a command line. They speak of recipe keys, folders and runs; how these are named here is added at their end:
/// "... choose another folder (--out DIR)."
/// </summary>
internal static partial class CommandLanguage
{
    /// <summary>Keys that have an option, in the commands that have it.</summary>
    internal static IReadOnlyDictionary<string, string> Options { get; } = new Dictionary<string, string>
    {
        ["data.source"] = "--data",
        ["data.fingerprint"] = "--data",
        ["data.extra"] = "--extra-data",
        ["data.extra-fraction"] = "--extra-fraction",
        ["data.size"] = "--size",
        ["data.skip-bad-images"] = "--skip-bad-images",
        ["model.name"] = "--model",
        ["model.weights"] = "--weights",
        ["model.mean"] = "--mean",
        ["model.standard-deviation"] = "--std",
        ["ews.search"] = "--ews",
        ["evaluation.images"] = "--limit",
        ["evaluation.exact"] = "--exact",
        ["evaluation.test-time-batch"] = "--test-time-statistics",
        ["evaluation.corruptions"] = "--corruptions",
        ["evaluation.corrupted-images"] = "--corrupted",
        ["evaluation.frost-textures"] = "--frost-textures",
        ["evaluation.attack"] = "--attack",
        ["evaluation.attack-norm"] = "--norm",
        ["evaluation.attack-eps"] = "--eps",
        ["evaluation.perturbations"] = "--perturbations",
        ["evaluation.perturbed-images"] = "--perturbed",
    };

    /// <summary>Words of the library, and how one does here what they say: an option, in the commands that have it, or a command; the first that applies.</summary>
    internal static IReadOnlyList<(string Words, string[] Here)> Phrases { get; } =
    [
        ("another folder", ["--out"]),
        ("give the folder of another", ["--out"]),
        ("resume", ["--resume", "weaklink train --resume --out RUN"]),
        ("fetch cifar100", ["weaklink data fetch cifar100"]),
        ("fetch cifar10", ["weaklink data fetch cifar10"]),
        ("are imported first", ["weaklink import FILE --out FILE"]),
        ("the missing array", ["weaklink corrupt RUN --out DIR"]),
        ("those made of the run's own", ["weaklink corrupt RUN --out DIR"]),
        ("the JSON of an evaluation", ["weaklink evaluate MODEL --json"]),
        ("corruptions=benchmark, and give the JSON", ["weaklink evaluate MODEL --corruptions benchmark --json"]),
        ("perturbations=benchmark, and give the JSON", ["weaklink evaluate MODEL --perturbations benchmark --json"]),
        ("on these first, and give the JSON", ["weaklink evaluate MODEL --data D --json"]),
        ("evaluate the run again", ["weaklink evaluate RUN"]),
        ("write arrays instead of folders", ["--layout"]),
        ("fewer images", ["--limit"]),
        ("fewer images, corruptions", ["--corruptions"]),
        ("corruptions or severities", ["--severities"]),
        ("the number of seeds", ["--seeds"]),
        ("Name the network that it is", ["--model"]),
        ("the key of its weights", ["--key"]),
        ("name of the network and of its classes", ["--model"]),
        ("and of its classes", ["--classes"]),
    ];

    /// <summary>A sentence of the library with what it means here.</summary>
    /// <param name="sentence">The sentence.</param>
    /// <param name="command">The command that runs; null where none does yet.</param>
    public static string Translate(string sentence, Command? command)
    {
        // A command's own sentences are in this language.
        if (Option.IsMatch(sentence) || sentence.Contains("weaklink ", StringComparison.Ordinal))
        {
            return sentence;
        }

        // A file may be called anything.
        var said = Quoted.Replace(sentence, "");
        var own = command?.Options.Where(option => !option.Hidden).ToDictionary(option => option.Name, option => option.HelpName is { } value ? $"{option.Name} {value}" : option.Name) ?? [];
        string?[] hints =
        [
            .. Phrases.Where(phrase => said.Contains(phrase.Words, StringComparison.Ordinal)).Select(phrase => phrase.Here.Select(Here).FirstOrDefault(here => here is not null)),
            .. Key.Matches(said).Select(key => Options.TryGetValue(key.Value, out var option) ? Here(option) : null),
            .. ToSet.Matches(said).Select(found => found.Groups[1].Value).Where(key => !(Options.TryGetValue(key, out var option) && own.ContainsKey(option)) && own.ContainsKey("--set"))
                .Select(key => $"--set {key}=VALUE"),
        ];
        var added = hints.OfType<string>().Distinct().ToList();
        return added.Count == 0 ? sentence : $"{sentence.TrimEnd('.')} ({string.Join(", ", added)}).";

        string? Here(string here) => here.StartsWith("--", StringComparison.Ordinal) ? own.GetValueOrDefault(here) : here;
    }

    [GeneratedRegex(@"(?<!\S)--[a-z]")]
    private static partial Regex Option { get; }

    // No apostrophe: a letter stands before that.
    [GeneratedRegex(@"(?<!\w)'[^']*'(?!\w)")]
    private static partial Regex Quoted { get; }

    // Not a part of a file's name, and not given a value.
    [GeneratedRegex(@"(?<![\w./-])[a-z]+\.[a-z]+(?:-[a-z0-9]+)*(?![\w.=-]*[\w-])")]
    private static partial Regex Key { get; }

    [GeneratedRegex(@"\b[Ss]et ([a-z]+\.[a-z]+(?:-[a-z0-9]+)*)")]
    private static partial Regex ToSet { get; }
}
