using System.Text.Json;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

public class ReportCommandTests
{
    [Fact]
    public void WhatEvaluateMeasures_IsKeptWithTheRun_AndDrawnWhereTheDataAreGone()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 12);
        Weaklink.Run(folder.Path, ["train", "--data", "pets", "--out", "run", "--ews", "off", "--set", "model.name=resnet8", "--set", "training.epochs=1", "--set", "evaluation.subnets=0", "--set", "evaluation.corruptions=none"]);
        Assert.Contains("Kept in", Weaklink.Run(folder.Path, "evaluate", "run", "--attack", "fgsm", "--eps", "1/255").Output, StringComparison.Ordinal);
        using var kept = JsonDocument.Parse(File.ReadAllText(folder["run/results/evaluations/1/summary.json"]));
        Assert.Equal("fgsm", kept.RootElement.GetProperty("settings").GetProperty("evaluation.attack").GetString());
        // The run has them.
        Assert.Equal(JsonValueKind.Null, kept.RootElement.GetProperty("examples").ValueKind);
        Assert.True(File.Exists(folder["run/results/evaluations/1/predictions.csv"]));

        Directory.Delete(folder["pets"], recursive: true);
        Directory.Delete(folder["run/checkpoints"], recursive: true);
        Weaklink.Run(folder.Path, "report", "run", "--out", "page.html");
        var page = File.ReadAllText(folder["page.html"]);
        Assert.Contains("1: weaklink evaluate run --attack fgsm --eps 1/255", page, StringComparison.Ordinal);
        Assert.Contains("fgsm linf 1/255: ", page, StringComparison.Ordinal);
        Assert.Contains(") at severity 3</h3>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("holds no images to look at", page, StringComparison.Ordinal);

        // Nothing that was measured takes the place of what the run keeps.
        Assert.Contains("among what the run", Weaklink.Run(folder.Path, "report", "run", "--out", "run/results/evaluations/1/summary.json").Sentence, StringComparison.Ordinal);
    }
}
