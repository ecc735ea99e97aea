using WeakLink.Comparisons;
using WeakLink.Experiments;
using WeakLink.Runs;
using WeakLink.Tests.Comparisons;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Experiments;

public class ComparisonTrainingTests
{
    private static readonly string[] Tiny =
    [
        "model.width-multiplier=0.5", "training.epochs=1", "training.batch=16", "training.precision=fp32", "training.layout=contiguous",
        "evaluation.subnets=0", "evaluation.corruptions=none",
    ];

    private static readonly Arm[] Arms = [new("plain", "shapes", "ews.search=off"), new("ews", "shapes")];

    [Fact]
    public void Runs_AreTrainedSeedBySeed_AndOnlyOnce()
    {
        using var folder = new TemporaryFolder();
        var settings = OnPets(folder);
        var told = new Notes();
        Assert.Empty(ComparisonTraining.Train(Arms, settings, [0, 1], folder["out"], told));
        string[] runs = [.. told.Where(note => note.StartsWith("Run ", StringComparison.Ordinal))];
        Assert.Equal(["Run 1 of 4: plain, seed 0", "Run 2 of 4: ews, seed 0", "Run 3 of 4: plain, seed 1", "Run 4 of 4: ews, seed 1"], runs.Select(note => note.Split(';')[0]));
        Assert.Contains("4 runs are to be trained", runs[0], StringComparison.Ordinal);
        Assert.Contains("takes about", runs[2], StringComparison.Ordinal);
        Assert.Equal(["ews-0", "ews-1", "plain-0", "plain-1"], Directory.GetFileSystemEntries(folder["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var arms = ComparisonTraining.Read(Arms, [0, 1], folder["out"]);
        Assert.All(arms, arm => Assert.Equal([0, 1], arm.Seeds));
        Assert.Equal(32, arms[0].Runs[0].ImagesSeen);

        // A third seed trains what it adds; a lost summary costs its measurement.
        var before = Written();
        File.Delete(folder["out/plain-1/summary.json"]);
        told.Clear();
        Assert.Empty(ComparisonTraining.Train(Arms, settings, [0, 1], folder["out"], told));
        Assert.Single(told, note => note.StartsWith("Run ", StringComparison.Ordinal));
        Assert.Equal(before, Written());

        string Written() => string.Join('\n', Directory.GetFiles(folder["out"], "last.safetensors", SearchOption.AllDirectories).Order().Select(file => $"{file} {File.GetLastWriteTimeUtc(file):O}"));
    }

    [Fact]
    public void ARunOfAnotherRecipe_IsRefused_BeforeAnythingIsTrained()
    {
        using var folder = new TemporaryFolder();
        var settings = OnPets(folder);
        MadeRuns.Write(folder["out/ews-1"], Arms[1].Load(1, [.. settings, "ews.width=0.5"]));
        var message = Assert.Throws<InputException>(() => ComparisonTraining.Train(Arms, settings, [0, 1], folder["out"], new SilentObserver())).Message;
        Assert.Contains("ews.width 0.5", message, StringComparison.Ordinal);
        Assert.Contains("ews-1", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out/plain-0"]));

        File.WriteAllText(folder["out/plain-0"], "");
        Assert.Contains("in the way", Assert.Throws<InputException>(() => ComparisonTraining.Train(Arms, settings, [0], folder["out"], new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAnotherProcessTrains_IsPassedOver()
    {
        using var folder = new TemporaryFolder();
        var settings = OnPets(folder);
        Directory.CreateDirectory(folder["out"]);
        using var held = new FileStream(folder["out/plain-0.lock"], FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        Assert.Equal([folder["out/plain-0"]], ComparisonTraining.Train(Arms, settings, [0], folder["out"], new SilentObserver()));
        Assert.True(RunFolder.IsFinished(folder["out/ews-0"]));
    }

    [Fact]
    public void ANumberFormatThatATimingDecides_IsDecidedOnce()
    {
        using var folder = new TemporaryFolder();
        var settings = OnPets(folder);
        string[] open = [.. settings, "training.precision=auto", "training.layout=auto"];
        MadeRuns.Write(folder["out/plain-0"], Arms[0].Load(0, [.. open, "training.precision=bf16", "training.layout=channels-last"]));
        Assert.Empty(ComparisonTraining.Train(Arms, open, [0], folder["out"], new SilentObserver()));
        Assert.Equal("bf16 channels-last", ComparedRun.Read(folder["out/ews-0"]).Summary.Format);
    }

    [Fact]
    public void ArmsWithOneFolder_AreRefused() =>
        Assert.Contains("a name", Assert.Throws<InputException>(() => ComparisonTraining.Train([new("a b", "shapes"), new("a-b", "small")], [], [0], "nowhere", new SilentObserver())).Message, StringComparison.Ordinal);

    private static string[] OnPets(TemporaryFolder folder)
    {
        Pictures.WriteClasses(folder["pets"], 24, 16);
        return [.. Tiny, $"data.source={folder["pets"]}"];
    }

    private sealed class Notes : List<string>, IRunObserver
    {
        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence) => Add(sentence);
    }
}
