using System.CommandLine;
using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;
using WeakLink.Cli;
using WeakLink.Files;
using WeakLink.Recipes;

namespace WeakLink.Tests.Cli;

public partial class CommandLanguageTests
{
    private static readonly Command Train = new("train")
    {
        new Option<string>("--out") { HelpName = "DIR" }, new Option<bool>("--resume"), new Option<string[]>("--extra-data") { HelpName = "DIR" }, new Option<string[]>("--set") { HelpName = "key=value" },
    };

    [Theory]
    [InlineData("'a' is not empty: resume its run, or choose another folder.", "'a' is not empty: resume its run, or choose another folder (--out DIR, --resume).")]
    [InlineData("data.extra-fraction is set, but no extra images are: name their folder in data.extra.", "data.extra-fraction is set, but no extra images are: name their folder in data.extra (--extra-data DIR).")]
    [InlineData("The images have several sizes: set data.size to one of them.", "The images have several sizes: set data.size to one of them (--set data.size=VALUE).")]
    [InlineData("The summary is of no use: evaluate it with evaluation.corruptions=benchmark, and give the JSON of that evaluation.", "The summary is of no use: evaluate it with evaluation.corruptions=benchmark, and give the JSON of that evaluation (weaklink evaluate MODEL --corruptions benchmark --json).")]
    [InlineData("x.tar.gz does not exist: fetch cifar10 first.", "x.tar.gz does not exist: fetch cifar10 first (weaklink data fetch cifar10).")]
    [InlineData("'data.extra.zip' is no archive: give one.", "'data.extra.zip' is no archive: give one.")]
    [InlineData("There are no data at 'resumes/data.extra': give the run's folder, which can't be empty.", "There are no data at 'resumes/data.extra': give the run's folder, which can't be empty.")]
    [InlineData("--limit must be at least 1, or choose another folder.", "--limit must be at least 1, or choose another folder.")]
    [InlineData("training.batch is -5, but must be from 1 to 1000000.", "training.batch is -5, but must be from 1 to 1000000.")]
    public void KeysFoldersAndRuns_AreNamedAsTheCommandNamesThem(string said, string here) => Assert.Equal(here, CommandLanguage.Translate(said, Train));

    [Fact]
    public void AnOptionIsOfUseOnlyToACommandThatHasIt()
    {
        Assert.Equal("The run is not finished: resume it (weaklink train --resume --out RUN).", CommandLanguage.Translate("The run is not finished: resume it.", new Command("compare")));
        Assert.Equal("Choose another folder.", CommandLanguage.Translate("Choose another folder.", command: null));
    }

    // Words that the library no longer says, keys and options that are gone, would explain nothing.
    [Fact]
    public void EveryWord_IsOneOfTheLibrary_AndEveryKeyAndOptionIsThere()
    {
        var said = Literals().Select(literal => literal.Text).ToList();
        Assert.True(said.Count > 1000, "the assembly was not read");
        Assert.All(CommandLanguage.Phrases, phrase => Assert.True(
            said.Any(text => text.Contains(phrase.Words, StringComparison.Ordinal)) || KnownDownloads.All.Any(known => phrase.Words == $"fetch {known.Name}"), $"'{phrase.Words}' is not said"));
        var commands = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Path, "src/WeakLink.Cli"), "*.cs").Where(file => !file.EndsWith("CommandLanguage.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.All(CommandLanguage.Options, pair => Assert.Contains(pair.Key, RecipeKeys.All.Select(key => key.Name)));
        Assert.All(
            CommandLanguage.Options.Values.Concat(CommandLanguage.Phrases.SelectMany(phrase => phrase.Here).Where(here => here.StartsWith("--", StringComparison.Ordinal))),
            option => Assert.Contains($"(\"{option}\")", commands, StringComparison.Ordinal));
    }

    // Who uses the library from code has keys, files and folders, and no command line. Pages are for people, and may show how a run is made again.
    [Fact]
    public void TheLibrary_SpeaksNoCommandLine() =>
        Assert.Empty(Literals().Where(literal => literal.Space != "WeakLink.Reports" && OfACommand.IsMatch(literal.Text)).Select(literal => literal.Text));

    private static IEnumerable<(string Space, string Text)> Literals()
    {
        using var assembly = ModuleDefinition.ReadModule(typeof(InputException).Assembly.Location);
        return [.. from type in assembly.GetTypes()
                   from method in type.Methods
                   where method.HasBody
                   from instruction in method.Body.Instructions
                   where instruction.OpCode == OpCodes.Ldstr
                   select (Outermost(type).Namespace, (string)instruction.Operand)];
    }

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    // Not those of other programs: tar, convmv.
    [GeneratedRegex(@"(?<![\w-])--(?!zstd|dereference|sparse|notest)[a-z]|weaklink (train|evaluate|compare|subnets|predict|report|data|attack|augment|corrupt|export|import|info)\b")]
    private static partial Regex OfACommand { get; }
}
