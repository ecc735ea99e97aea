using WeakLink.Comparisons;
using WeakLink.Experiments;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Experiments;

public class ComputeBudgetTests
{
    private static readonly string[] Tiny = ["model.name=resnet8", "model.width-multiplier=0.5", "training.batch=16", "training.precision=fp32", "training.layout=contiguous", "training.epochs=60", "training.threads=1", "training.workers=1"];

    [Fact]
    public void EpochsAreDivided_ByWhatTheyCost_AsItWasKept()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["out"]);
        File.WriteAllText(
            folder["out/budget.json"],
            Json.Sealed(new { Baseline = "plain training.epochs=40", Costs = new Dictionary<string, double> { ["plain training.epochs=40"] = 1, ["plain training.epochs=80"] = 1, ["ews"] = 1.9, ["views"] = 2.4 } }));
        ArmVariants[] arms =
        [
            ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off,training.epochs=40|80")), ArmVariants.Of(Arm.Parse("ews=shapes,training.epochs=80")),
            ArmVariants.Of(Arm.Parse("views=shapes,training.epochs=1")),
        ];
        var shared = ComputeBudget.Share(arms, "plain", [], folder["out"], new SilentObserver());
        // 80 / 1.9 and, at least one, 1 / 2.4.
        Assert.Equal([40, 80, 42, 1], shared.SelectMany(arm => arm.Variants).Select(variant => variant.Load(0, []).Training.Epochs));
        Assert.Equal(["plain-training.epochs=40", "plain-training.epochs=80", "ews", "views"], shared.SelectMany(arm => arm.Variants).Select(variant => variant.Folder));
    }

    [Fact]
    public void WhatAStepCosts_IsMeasuredOnce()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["pets"], 24, 16);
        string[] common = [.. Tiny, $"data.source={folder["pets"]}"];
        ArmVariants[] arms = [ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off")), ArmVariants.Of(Arm.Parse("ews=shapes,ews.search=random"))];
        var shared = ComputeBudget.Share(arms, "plain", common, folder["out"], new SilentObserver());
        var epochs = shared[1].Variants[0].Load(0, common).Training.Epochs;
        Assert.Equal(60, shared[0].Variants[0].Load(0, common).Training.Epochs);
        var kept = File.ReadAllText(folder["out/budget.json"]);
        Assert.Equal(epochs, ComputeBudget.Share(arms, "plain", common, folder["out"], new SilentObserver())[1].Variants[0].Load(0, common).Training.Epochs);
        Assert.Equal(kept, File.ReadAllText(folder["out/budget.json"]));
        Assert.Equal(["budget.json"], Directory.GetFileSystemEntries(folder["out"]).Select(Path.GetFileName));
    }
}
