using System.CommandLine;
using System.Globalization;
using WeakLink.Corruptions;
using WeakLink.Runs;

namespace WeakLink.Cli;

/// <summary>Arguments that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>What stands for standard input where a file is named.</summary>
    public const string StandardInput = "-";

    public static Option<string?> Data(string description) => new("--data") { Description = description, HelpName = "D" };

    /// <summary>What --data changes in the recipe of a run: its data, which need not be those that it was trained on.</summary>
    public static string[] OtherData(string? source) => source is null ? [] : [$"data.source={source}", "data.fingerprint="];

    public static Option<string[]> Set(string description = "Change a recipe key, such as ews.width=0.8; may be repeated (all keys: docs/recipes.md).") => new("--set")
    {
        Description = description,
        HelpName = "key=value",
        DefaultValueFactory = _ => [],
    };

    /// <summary>Whether little is to be measured: <c>EvaluationRecipe.Quick</c>.</summary>
    public static Option<bool> Quick() => new("--quick") { Description = "Measure everything on few images, for a first look (which settings it stands for: docs/recipes.md, evaluation)." };

    /// <summary>Whether everything is measured by the network as it is trained: <c>evaluation.exact</c>.</summary>
    public static Option<bool> Exact() => new("--exact") { Description = "Measure in float32 with the network as it is, instead of one frozen for measuring, which is faster and rounds otherwise (docs/runs.md)." };

    public static Option<string?> FrostTextures() => new("--frost-textures")
    {
        Description = "A folder of pictures of ice for frost, such as the six published ones (default: ice drawn by code).",
        HelpName = "DIR",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document on standard output, and nothing else there." };

    /// <summary>Makes the folder that an option names, where it is not there yet.</summary>
    /// <returns>Its whole path.</returns>
    /// <exception cref="InputException">It is a file, or can't be made.</exception>
    public static string NewFolder(string option, string path)
    {
        if (File.Exists(path))
        {
            throw new InputException($"{option} {path} is a file, but a folder is needed: name another place.");
        }

        try
        {
            return Directory.CreateDirectory(path).FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The folder {option} {path} can't be made ({exception.Message.TrimEnd('.')}): name another place.", exception);
        }
    }

    /// <summary>The file that --out names: none that the command reads, and none that a run rests on.</summary>
    /// <param name="path">The file to be written.</param>
    /// <param name="read">What the command reads.</param>
    /// <exception cref="InputException">It is one of them.</exception>
    public static string NewFile(string path, params IEnumerable<string> read)
    {
        if (read.FirstOrDefault(file => Real(file) == Real(path)) is { } input)
        {
            throw new InputException($"--out {path} is what this command reads ('{input}'), and would be overwritten: name another file.");
        }

        return RunFolder.Keeper(path) is not { } run ? path
            : throw new InputException($"--out {path} would lie among what the run '{run}' keeps, and may take the place of a part of it: name a file elsewhere.");

        static string Real(string path) => File.Exists(path) && new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } target ? target.FullName : Path.GetFullPath(path);
    }

    /// <summary>Refuses keys that a command does not read.</summary>
    /// <param name="set">What --set was given.</param>
    /// <param name="refusal">What the sentence says of another key, after its name.</param>
    /// <param name="keys">How the pairs that it reads begin, such as <c>data.</c> or <c>evaluation.batch=</c>.</param>
    /// <exception cref="InputException">There is another key.</exception>
    public static void RequireKeys(string[] set, string refusal, params string[] keys)
    {
        if (set.FirstOrDefault(pair => !keys.Any(key => pair.StartsWith(key, StringComparison.Ordinal))) is { } other)
        {
            throw new InputException($"--set {other} {refusal}.");
        }
    }

    /// <summary>What to say where a norm was given without a size: the default is one of linf.</summary>
    public static InputException EpsIsMissing(string norm) =>
        new($"--norm {norm} needs --eps: 8/255 is a size for linf (usual for 32x32 images: 0.5 for l2, 12 for l1).");

    public static Argument<string> Model() => new("MODEL") { Description = "A run folder, or a .safetensors checkpoint." };

    /// <summary>Severities from 1 to 5, ascending.</summary>
    /// <exception cref="InputException">It is no list of them.</exception>
    public static IReadOnlyList<int> Severities(string text)
    {
        var chosen = new SortedSet<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-').Select(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var severity) ? severity : 0).ToArray();
            if (ends.Length > 2 || ends.Any(end => end is < 1 or > Corruption.Severities) || ends[0] > ends[^1])
            {
                throw new InputException($"--severities {text} is not a list of severities from 1 to {Corruption.Severities}: write 1-5 or 1,3,5.");
            }

            chosen.UnionWith(Enumerable.Range(ends[0], ends[^1] - ends[0] + 1));
        }

        return [.. chosen];
    }
}
