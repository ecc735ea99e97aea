using System.Diagnostics;
using SkiaSharp;
using WeakLink.Corruptions;
using WeakLink.Sources;
using WeakLink.Tests.Core;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

/// <summary>Each real file once, and what is passed over is counted and named.</summary>
public class FolderTreeTests
{
    // Links as path>target, relative to the folder of data; what is read are ten images of each of two classes, and those that links bring from elsewhere.
    [Theory]
    [InlineData("cat/loop>..", 20)]
    [InlineData("cat/loop>.", 20)]
    [InlineData("cat/dogs>../dog dog/cats>../cat", 20)]
    [InlineData("everything>.", 20)]
    [InlineData("up>..", 20)]
    [InlineData("feline>cat", 20)]
    [InlineData("cat/more>../../elsewhere", 23)]
    [InlineData("cat/more>../../elsewhere cat/again>../../elsewhere", 23)]
    [InlineData("cat/more>../../elsewhere dog/more>../../elsewhere", 23)]
    [InlineData("cat/one.png>../../elsewhere/0.png cat/two.png>../../elsewhere/0.png", 21)]
    [InlineData("cat/one.png>0.png", 20)]
    [InlineData("cat/one.png>../dog/0.png", 20)]
    [InlineData("owl>../elsewhere", 23)]
    [InlineData("owl>../elsewhere owl2>../elsewhere", 23)]
    public void EachRealFileIsReadOnce(string links, int images)
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "data/cat=10 data/dog=10 elsewhere=3 unrelated=4");
        foreach (var link in links.Split(' '))
        {
            File.CreateSymbolicLink(folder[$"data/{link.Split('>')[0]}"], link.Split('>')[1]);
        }

        // The way to the data may be a link, too.
        Directory.CreateSymbolicLink(folder["way"], folder["data"]);
        foreach (var way in new[] { "data", "way" })
        {
            var splits = FolderLayoutTests.Open(folder[way], new SilentObserver());
            Assert.Equal(images, FolderLayoutTests.Count(splits));
            Assert.Equal(links.StartsWith("owl>", StringComparison.Ordinal) ? ["cat", "dog", "owl"] : (string[])["cat", "dog"], splits.Train.Classes);
            Assert.True(images > 20 && !links.Contains(' ', StringComparison.Ordinal) ? splits.PassedOver.Counts.Count == 0 : splits.PassedOver.Counts.ContainsKey("links to what is read already"));
        }
    }

    [Fact]
    public void WhatIsNoFile_IsPassedOver()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names");
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "data/cat=10 data/dog=10");
        Pipes.Make(folder["data/cat/a.png"]);
        Pipes.Make(folder["data/cat/notes.txt"]);
        Pipes.Make(folder["data/d.png"]);
        File.CreateSymbolicLink(folder["data/dog/link.png"], folder["data/d.png"]);
        var splits = FolderLayoutTests.Open(folder["data"], new SilentObserver());
        Assert.Equal(20, FolderLayoutTests.Count(splits));
        Assert.Equal(4, splits.PassedOver.Counts["pipes, sockets and devices"]);
    }

    [Fact]
    public void LinksThatLeadToOneAnother_EndInASentence()
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "cat=10 dog=10");
        File.CreateSymbolicLink(folder["cat/a"], "../dog/b");
        File.CreateSymbolicLink(folder["dog/b"], "../cat/a");
        Assert.Equal(2, FolderLayoutTests.Open(folder.Path, new SilentObserver()).PassedOver.Counts["links to nothing"]);
        File.CreateSymbolicLink(folder["cat/a.png"], "../dog/b.png");
        File.CreateSymbolicLink(folder["dog/b.png"], "../cat/a.png");
        Assert.Contains("can't be opened", Assert.Throws<InputException>(() => FolderLayoutTests.Open(folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SplitsOfLinksIntoOneFolder_AreRead()
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "data/all/cat=10 data/all/dog=10");
        for (var i = 0; i < 10; i++)
        {
            foreach (var name in new[] { "cat", "dog" })
            {
                var split = i < 8 ? "train" : "test";
                Directory.CreateDirectory(folder[$"data/{split}/{name}"]);
                File.CreateSymbolicLink(folder[$"data/{split}/{name}/{i}.png"], $"../../all/{name}/{i}.png");
            }
        }

        var splits = FolderLayoutTests.Open(folder["data"], new SilentObserver());
        Assert.Equal((16, 4), (splits.Train.Count + splits.Validation.Count, splits.Test.Count));
    }

    [Fact]
    public void OtherFiles_AreCountedByKind_WithWhatToDo()
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "cat=10 dog=10 cat/deep/er/and/deeper=2 notes=0 .cache=3");
        foreach (var file in new[] { "cat/a.tif", "cat/b.TIF", "dog/c.heic", "dog/d", "cat/.hidden.png", "cat/._0.png", "cat/.DS_Store", "cat/Thumbs.db", "notes/n.txt", "loose.png", "README.md" })
        {
            File.WriteAllText(folder[file], "");
        }

        File.CreateSymbolicLink(folder["gone"], "/nowhere");
        var told = new FolderLayoutTests.Told();
        var splits = FolderLayoutTests.Open(folder.Path, told);
        Assert.Equal(22, FolderLayoutTests.Count(splits));
        Assert.Equal(
            new Dictionary<string, int> { [".db"] = 1, [".heic"] = 1, [".md"] = 1, [".tif"] = 2, ["folders without pictures"] = 1, ["hidden"] = 2, ["images outside of the class folders"] = 1, ["links to nothing"] = 1, ["without an extension"] = 1 },
            splits.PassedOver.Counts);
        var sentence = Assert.Single(told.Notes);
        Assert.Contains(".tif (2, such as ", sentence, StringComparison.Ordinal);
        Assert.Contains(".heic can be read after mogrify", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void AClassOfUnreadablePictures_IsRefused_NotLeftOut()
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "cat=10 dog=10 owl=0");
        File.WriteAllText(folder["owl/a.tif"], "");
        Assert.Contains("owl", Assert.Throws<InputException>(() => FolderLayoutTests.Open(folder.Path, new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesThatAreNotUtf8_AreCounted_OrRefusedWhereTheyMayBeClasses()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems allow no such names.");
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "cat=10 dog=10");
        Shell("cp cat/0.png \"$(printf 'cat/caf\\351.png')\"; mkdir \"$(printf 'cat/h\\374tte')\"");
        var splits = FolderLayoutTests.Open(folder.Path, new SilentObserver());
        Assert.Equal(20, FolderLayoutTests.Count(splits));
        Assert.Equal(2, splits.PassedOver.Counts[FolderTree.UnreadableName]);
        Shell("cp -r dog \"$(printf 'caf\\351')\"");
        var refusal = Assert.Throws<InputException>(() => FolderLayoutTests.Open(folder.Path, new SilentObserver()));
        // .NET can't remove them either.
        Shell("rm -r caf* cat");
        Assert.Contains("not UTF-8", refusal.Message, StringComparison.Ordinal);

        void Shell(string script) => Process.Start(new ProcessStartInfo("sh", ["-c", script]) { WorkingDirectory = folder.Path })!.WaitForExit();
    }

    [Fact]
    public void WhatWeakLinkWrote_IsNoData()
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "data/cat=10 data/dog=10");
        var images = FolderLayoutTests.Open(folder["data"], new SilentObserver()).Test;
        FolderLayoutTests.Write(folder, "data/runs/a/checkpoints=0 data/cat/examples/images/cat=2 data/dog/study=0");
        // Markers of those that only the whole command writes.
        foreach (var file in new[] { "runs/a/recipe.yaml", "cat/examples/attack.json", "dog/study/subnets.json", "dog/study/subnets.html" })
        {
            File.WriteAllText(folder[$"data/{file}"], "");
        }

        var settings = new CorruptionSettings(CommonCorruptions.Named("brightness"), [1], CorruptionLayout.Folders, 0);
        CorruptionWriter.Write(images, settings, folder["data/c"], new SilentObserver());
        ContactSheet.Write(folder["data/cat/sheet.png"], images, settings);
        var splits = FolderLayoutTests.Open(folder["data"], new SilentObserver());
        Assert.Equal(["cat", "dog"], splits.Train.Classes);
        Assert.Equal(20, FolderLayoutTests.Count(splits));
        // The two folders, the study, the examples, the sheet.
        Assert.Equal(5, splits.PassedOver.Counts[FolderTree.Own]);
        Assert.DoesNotContain(folder["data/cat/sheet.png"], ImageFile.In(folder["data"], new PassedOver()));

        // A marked picture is as good as any other.
        Assert.NotEmpty(ImageFile.Decode(folder["data/cat/sheet.png"]).Planes);
        foreach (var (output, remedy) in new[] { ("runs/a", "its data"), ("c", "evaluation.corrupted-images"), ("cat/examples", "data.extra"), ("dog/study", "its data") })
        {
            Assert.Contains(remedy, Assert.Throws<InputException>(() => FolderLayoutTests.Open(folder[$"data/{output}"], new SilentObserver())).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LabelsOfANetworksClasses_GoByName_AndSomeMayLack()
    {
        using var folder = new TemporaryFolder();
        string[] classes = ["dog", "emu", "cat", "yak"];
        FolderLayoutTests.Write(folder, "data/cat=10 data/dog=10 one/yak=10 other/cat=5 other/wolf=5 c/fog/1/cat=4 c/fog/1/yak=2");
        var told = new FolderLayoutTests.Told();
        var splits = DataSources.Open(new DataRecipe { Source = folder["data"] }, classes, 0, told);
        foreach (var part in new[] { splits.Train, splits.Validation, splits.Test })
        {
            Assert.Equal(classes, part.Classes);
            Assert.All(Enumerable.Range(0, part.Count), i => Assert.Contains($"/{classes[part.Label(i)]}/", part.Describe(i), StringComparison.Ordinal));
        }

        Assert.Contains(told.Notes, note => note.Contains("emu, yak (2 of 4 classes)", StringComparison.Ordinal));
        Assert.Equal(3, DataSources.Open(new DataRecipe { Source = folder["one"] }, classes, 0, told).Test.Label(0));
        Assert.Contains("'wolf'", Assert.Throws<InputException>(() => DataSources.Open(new DataRecipe { Source = folder["other"] }, classes, 0, told)).Message, StringComparison.Ordinal);

        using var corrupted = CorruptionFolder.Open(folder["c"], classes, new DataRecipe());
        told.Notes.Clear();
        var fog = corrupted.Images(CommonCorruptions.Named("fog")[0], 1, told, TestContext.Current.CancellationToken);
        Assert.Equal([2, 2, 2, 2, 3, 3], Enumerable.Range(0, fog.Count).Select(fog.Label));
        Assert.Contains("dog, emu", Assert.Single(told.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void FoldersWithOddNames_AreOneFolderEach()
    {
        using var folder = new TemporaryFolder();
        string[] names = ["generated, v2", "O'Brien's \"photos\" #1: 100%", "new\nline", " spaces ", "[brackets]"];
        foreach (var name in names)
        {
            FolderLayoutTests.Write(folder, "next/a=4 next/b=4");
            Directory.Move(folder["next"], folder[name]);
        }

        foreach (var name in names)
        {
            var splits = DataSources.Open(new DataRecipe { Source = folder[name], Extra = [.. names.Select(other => folder[other])] }, 0, new SilentObserver());
            Assert.Equal((8, 8 * names.Length), (FolderLayoutTests.Count(splits), splits.Extra!.Images.Count));
        }
    }

    [Theory]
    [InlineData(".jfif")]
    [InlineData(".jpe")]
    [InlineData(".jif")]
    [InlineData(".JPG")]
    public void EveryEndingOfJpeg_IsRead(string ending)
    {
        using var folder = new TemporaryFolder();
        FolderLayoutTests.Write(folder, "cat=10 dog=10");
        Pictures.Write(folder[$"cat/a{ending}"], SKColors.Red);
        Assert.Equal(21, FolderLayoutTests.Count(FolderLayoutTests.Open(folder.Path, new SilentObserver())));
    }
}
