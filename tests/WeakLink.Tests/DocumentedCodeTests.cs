using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace WeakLink.Tests;

/// <summary>Compiles the C# of README and docs, each block by itself.</summary>
public sealed class DocumentedCodeTests
{
    // What the text around a block says that the reader has.
    private const string Given = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using static Given;
        using TorchSharp;

        internal static class Given
        {
            public static torch.Tensor images => throw null!;
            public static torch.Tensor labels => throw null!;
            public static WeakLink.Subnets.Subnet subnet => throw null!;
            public static WeakLink.Subnets.SubnetStatistics statistics => throw null!;
            public static WeakLink.Data.Dataset dataset => throw null!;
            public static byte[] planes => throw null!;
            public static byte[] result => throw null!;
            public static int height => 32;
            public static int width => 32;
            public static int i => 0;
        }
        """;

    private static readonly CSharpParseOptions Latest = new(LanguageVersion.Latest);

    private static readonly Lazy<MetadataReference[]> References = new(() => [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator).Select(file => MetadataReference.CreateFromFile(file))]);

    // What docs/interop.md says to copy.
    private static readonly Lazy<SyntaxTree[]> Copied = new(() => [.. new[] { "Classifier.cs", "Preparation.cs" }
        .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(Repository.Path, "samples/OnnxClassify", file)), Latest))]);

    public static TheoryData<string> Pages => [.. new[] { "README.md" }.Concat(Directory.GetFiles(Path.Combine(Repository.Path, "docs"), "*.md").Select(file => $"docs/{Path.GetFileName(file)}").Order())];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryBlock_Compiles(string page) =>
        Assert.All(Blocks(File.ReadAllLines(Path.Combine(Repository.Path, page))), block => Assert.Equal("", Errors(block.Code, $"{page}, line {block.Line}")));

    [Fact]
    public void BlocksAreFound_AndWhatDoesNotCompile_IsSeen()
    {
        Assert.NotEmpty(Blocks(File.ReadAllLines(Path.Combine(Repository.Path, "README.md"))));
        Assert.Contains("line 2: error CS0246", Errors("using WeakLink;\nvar network = new NoSuchNetwork();", "here"), StringComparison.Ordinal);
    }

    private static IEnumerable<(int Line, string Code)> Blocks(string[] lines)
    {
        for (var start = 0; start < lines.Length; start++)
        {
            if (lines[start].TrimStart().StartsWith("```csharp", StringComparison.Ordinal))
            {
                var code = lines.Skip(start + 1).TakeWhile(line => line.TrimStart() != "```").ToList();
                yield return (start + 1, string.Join('\n', code));
                start += code.Count;
            }
        }
    }

    private static string Errors(string code, string where)
    {
        var tree = CSharpSyntaxTree.ParseText(code, Latest);
        var isProgram = tree.GetCompilationUnitRoot().Members.Any(member => member is GlobalStatementSyntax);
        var compilation = CSharpCompilation.Create(
            "documented",
            [tree, CSharpSyntaxTree.ParseText(Given, Latest), .. Copied.Value],
            References.Value,
            new CSharpCompilationOptions(isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        return string.Join('\n', compilation.GetDiagnostics()
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => $"{where}: line {diagnostic.Location.GetLineSpan().StartLinePosition.Line + 1}: error {diagnostic.Id}: {diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}"));
    }
}
