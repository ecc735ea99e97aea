using Mono.Cecil;

namespace WeakLink.Tests.Fuzzing;

public class CatalogueTests
{
    // What opens or parses bytes from outside: of .NET and the packages, and of WeakLink's own for whoever uses them.
    private static readonly string[] Openers =
    [
        "System.IO.File::Open", "System.IO.File::Read", "System.IO.FileStream::.ctor", "System.IO.StreamReader::.ctor", "System.IO.MemoryMappedFiles.MemoryMappedFile::", "System.IO.FileInfo::Open",
        "System.IO.Compression.ZipFile::", "System.IO.Compression.ZipArchive::.ctor", "System.IO.Compression.GZipStream::.ctor", "System.IO.Compression.ZLibStream::.ctor", "System.IO.Compression.DeflateStream::.ctor",
        "System.IO.Compression.BrotliStream::.ctor", "System.Formats.Tar.", "System.Text.Json.JsonSerializer::Deserialize", "System.Text.Json.JsonDocument::Parse", "System.Text.Json.Nodes.JsonNode::Parse", "System.Text.Json.Utf8JsonReader::.ctor",
        "System.Xml.", "YamlDotNet.RepresentationModel.YamlStream::Load", "YamlDotNet.Core.Parser::.ctor", "YamlDotNet.Serialization.", "SkiaSharp.SKCodec::Create", "SkiaSharp.SKBitmap::Decode", "SkiaSharp.SKImage::FromEncodedData",
        "TorchSharp.torch::load", "TorchSharp.torch/jit::load", "System.Diagnostics.Process::Start", "System.Net.Http.HttpClient::",
        "WeakLink.Files.NumpyFile::Open", "WeakLink.Files.SafeTensors::Read", "WeakLink.Files.PyTorchFile::Read", "WeakLink.Files.PickleReader::.ctor", "WeakLink.Files.TarEntries::.ctor",
        "WeakLink.InputFile::Open", "WeakLink.InputFile::ReadAll", "WeakLink.TextFile::Read", "WeakLink.Json::Read", "WeakLink.Json::Parse", "WeakLink.Json::Document", "WeakLink.Yaml::Read", "WeakLink.ClassNames::Read",
    ];

    // Opens, but nothing that somebody else wrote, or nothing that is understood.
    private static readonly Dictionary<string, string> Excused = new()
    {
        ["ArchiveFiles.IsWhole"] = "its own cache: compared with what it would write",
        ["Arithmetic.IsRemembered"] = "lines of its own cache, of which only those that it would write count",
        ["AtomicFile.Write"] = "writes",
        ["LockFile.Take"] = "an empty file, for its lock",
        ["CorruptionManifest.ChecksumOf"] = "a checksum of whatever is there",
        ["Download.LockAsync"] = "an empty file, for its lock",
        ["Download.OpenForWriting"] = "what has arrived counts only once its checksum is right",
        ["EnvironmentReport.Instructions"] = "written by the kernel",
        ["EnvironmentReport.ProcessorName"] = "written by the kernel",
        ["ExportedModel.Read"] = "what OnnxGraph reads, of which only what its checksum vouches for counts",
        ["OneDnnConvolution.Load"] = "an archive that it makes itself, in memory",
        ["FormatChoice.Read"] = "its own cache, of which only one of two formats counts",
        ["FolderIndex.Read"] = "its own cache, with a checksum",
        ["HashIndex.Read"] = "its own cache, with a checksum",
        ["ImageNetClasses..cctor"] = "part of the library",
        ["ImportCommand.IsSecondOfTorchvision"] = "a checksum of whatever is there",
        ["InputFile.Open"] = "the one place that opens files to be read: who calls it is in the catalogue",
        ["InputFile.OpenOnce"] = "the one place that opens files to be read: who calls it is in the catalogue",
        ["InputFile.ReadAll"] = "the one place that opens files to be read: who calls it is in the catalogue",
        ["Json.Document"] = "the one place that parses JSON: who calls it is in the catalogue",
        ["Json.IsAsSealed"] = "the one place that reads JSON: who calls it is in the catalogue",
        ["Json.Parse"] = "the one place that reads JSON: who calls it is in the catalogue",
        ["Json.Received"] = "what another process of the same launch made, in memory",
        ["Json.Read"] = "the one place that reads JSON: who calls it is in the catalogue",
        ["Json.ReadSealed"] = "the one place that reads JSON: who calls it is in the catalogue",
        ["Json.Text"] = "the one place that reads JSON: who calls it is in the catalogue",
        ["NativeLibraries.Explain"] = "libraries of this installation, which are executed anyway",
        ["NativeLibraries.Keep"] = "asks whether the bytes are those that it would write",
        ["NativeLibraries.LibstdcxxPath"] = "written by the kernel",
        ["NativeLibraries.RewriteAndLoad"] = "libraries of this installation, which are executed anyway",
        ["OwnOutput.IsMarked"] = "asks whether the first bytes are those that it would write",
        ["Page..cctor"] = "part of the library",
        ["Pixels.KeptStatistics"] = "its own cache, of which only what the same images gave counts",
        ["PretrainedWeights.Checksum"] = "a checksum of whatever is there",
        ["ProcessGroup.AllowedCores"] = "written by the kernel",
        ["PredictCommand.Listed"] = "lines that name images, which are in the catalogue",
        ["RunFolder.ChecksumOf"] = "a checksum of whatever is there",
        ["SafeArchive.WriteFile"] = "writes",
        ["TextFile.Read"] = "the one place that reads text: who calls it is in the catalogue",
        ["ShapesDataset.Kept"] = "its own cache, with a checksum, and compared with what it draws",
        ["Transfer.CompleteAsync"] = "what a server sends counts only once its checksum is right (DownloadTests has servers that lie)",
        ["Transfer.ReceiveAsync"] = "what a server sends counts only once its checksum is right (DownloadTests has servers that lie)",
        ["Yaml.Document"] = "the one place that reads YAML: who calls it is in the catalogue",
    };

    [Fact]
    public void EveryMethodThatOpensAFile_IsInTheCatalogueOrExcused()
    {
        var opening = Assemblies.SelectMany(assembly => Opening(assembly, Openers)).ToHashSet();
        var known = Catalogue.All.SelectMany(reader => reader.Opens).ToHashSet();
        var unknown = opening.Except(known).Except(Excused.Keys).Order().ToList();
        Assert.True(unknown.Count == 0, $"These open files: give each an entry in tests/WeakLink.Fuzzing, or a reason here why it reads nothing that somebody else wrote.\n{string.Join('\n', unknown)}");
        Assert.Empty(known.Except(opening));
        Assert.Empty(Excused.Keys.Except(opening));
        Assert.Empty(known.Intersect(Excused.Keys));
    }

    // Opening a pipe waits for ever: InputFile, which refuses them, opens what somebody named.
    [Fact]
    public void WhatIsInTheCatalogue_IsOpenedByInputFile()
    {
        string[] direct = ["System.IO.File::Open", "System.IO.File::Read", "System.IO.FileStream::.ctor", "System.IO.FileInfo::Open"];
        var opening = Assemblies.SelectMany(assembly => Opening(assembly, direct)).ToHashSet();
        Assert.Contains("InputFile.Open", opening);
        Assert.Empty(opening.Intersect(Catalogue.All.SelectMany(reader => reader.Opens)));
    }

    [Fact]
    public void Names_AreTheirOwn() => Assert.Equal(Catalogue.All.Count, Catalogue.All.Select(reader => reader.Name).Distinct().Count());

    private static IEnumerable<string> Assemblies => [typeof(InputException).Assembly.Location, Path.Combine(AppContext.BaseDirectory, "WeakLink.Cli.dll")];

    private static IEnumerable<string> Opening(string assembly, string[] openers)
    {
        using var module = ModuleDefinition.ReadModule(assembly);
        foreach (var method in module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody))
        {
            if (method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>()
                .Any(called => openers.Any(opener => $"{called.DeclaringType.GetElementType().FullName}::{called.Name}".StartsWith(opener, StringComparison.Ordinal))))
            {
                yield return Written(method);
            }
        }
    }

    // The compiler puts lambdas, local functions and iterators into methods and classes of its own, whose names begin with that of the written method in angle brackets.
    private static string Written(MethodDefinition method)
    {
        var (type, name) = (method.DeclaringType, method.Name);
        while (type.Name.StartsWith('<'))
        {
            name = name.Contains('>', StringComparison.Ordinal) && name[0] == '<' && name[1] != '>' ? name : type.Name;
            type = type.DeclaringType;
        }

        return $"{type.Name}.{(name.StartsWith('<') ? name[1..name.IndexOf('>', StringComparison.Ordinal)] : name)}";
    }
}
