using System.Text.Json;
using WeakLink.Comparisons;
using WeakLink.Experiments;
using WeakLink.Recipes;
using WeakLink.Subnets;
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
        File.WriteAllText(folder["out/budget.json"], Json.Sealed(new { Costs = new Dictionary<string, double> { [Epoch("ews.search=off")] = 1, [Epoch()] = 1.9, [Epoch("ews.view=crop")] = 2.4 } }));
        ArmVariants[] arms =
        [
            ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off,training.epochs=40|80")), ArmVariants.Of(Arm.Parse("ews=shapes,training.epochs=80")),
            ArmVariants.Of(Arm.Parse("views=shapes,ews.view=crop,training.epochs=1")), ArmVariants.Of(Arm.Parse("late=shapes,ews.start=0.5,training.epochs=80")),
        ];
        var shared = ComputeBudget.Share(arms, "plain", [], folder["out"], new SilentObserver());
        // 80 / 1.9, at least one (1 / 2.4), and 80 / 1.45: half of the epochs cost 1.9.
        Assert.Equal([40, 80, 42, 1, 55], shared.SelectMany(arm => arm.Variants).Select(variant => variant.Load(0, []).Training.Epochs));
        Assert.Equal(["plain-training.epochs=40", "plain-training.epochs=80", "ews", "views", "late"], shared.SelectMany(arm => arm.Variants).Select(variant => variant.Folder));
    }

    [Fact]
    public void AnEpochIsKnown_ByWhatItIs()
    {
        Assert.Equal(Epoch(), Epoch("training.epochs=7", "seed=3"));
        Assert.Equal(9, new[] { Epoch(), Epoch("ews.search=off"), Epoch("ews.search=saliency"), Epoch("ews.width=0.5"), Epoch("ews.view=crop"), Epoch("data.limit=100"), Epoch("training.batch=7"), Epoch("objective.kind=pgd"), Epoch("objective.kind=pgd", "objective.steps=3") }.Distinct().Count());
    }

    [Fact]
    public void WhatBeginsLater_IsAKindOfItsOwn()
    {
        var recipe = RecipeFile.Load("shapes", ["ews.start=0.5", "objective.weight-perturbation=0.01", "objective.weight-perturbation-warmup=0.2"]);
        Assert.Equal(
            [(0.2, SearchKind.Off, 0), (0.3, SearchKind.Off, 0.01), (0.5, SearchKind.Policy, 0.01)],
            ComputeBudget.Parts(recipe).Select(part => (Math.Round(part.Length, 12), part.Epoch.Ews.Search, part.Epoch.Objective.WeightPerturbation)));
        Assert.Equal(1, Assert.Single(ComputeBudget.Parts(RecipeFile.Load("shapes", ["ews.search=off", "ews.start=0.5"]))).Length);
        // A classifier that is trained alone at first; a view that is prepared before any subnet sees it.
        Assert.Equal(
            [(0.1, "backbone", SearchKind.Off), (0.9, "none", SearchKind.Off)],
            ComputeBudget.Parts(RecipeFile.Load("fine-tune", [])).Select(part => (Math.Round(part.Length, 12), part.Epoch.Training.Freeze, part.Epoch.Ews.Search)));
        Assert.Equal(
            [(SearchKind.Random, 1_000_000), (SearchKind.Random, 1)],
            ComputeBudget.Parts(RecipeFile.Load("few-images", ["ews.start=0.5"])).Select(part => (part.Epoch.Ews.Search, part.Epoch.Ews.Every)));
    }

    [Fact]
    public void VariantsOfOneName_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<InputException>(() => ComputeBudget.Share([ArmVariants.Of(Arm.Parse("plain=shapes,training.epochs=40|40"))], "plain", [], folder["out"], new SilentObserver()));
        Assert.Contains("Two arms would be called", error.Message, StringComparison.Ordinal);
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
        // Another arm of the same name costs what it costs.
        ComputeBudget.Share([arms[0], ArmVariants.Of(Arm.Parse("ews=shapes,ews.search=saliency"))], "plain", common, folder["out"], new SilentObserver());
        Assert.Equal([2, 3], new[] { kept, File.ReadAllText(folder["out/budget.json"]) }.Select(text => JsonDocument.Parse(text).RootElement.GetProperty("costs").EnumerateObject().Count()));
        Assert.Equal(["budget.json"], Directory.GetFileSystemEntries(folder["out"]).Select(Path.GetFileName));
    }

    [Fact]
    public void ACost_DoesNotDependOnHowItsArmIsMeasured() => Assert.Equal(Epoch(), Epoch("evaluation.images=100", "evaluation.corruptions=none"));

    [Fact]
    public void WhatOtherCommandsMeasured_StaysKept()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["out"]);
        string[] common = [.. Tiny, "data.limit=64"];
        ArmVariants[] arms = [ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off")), ArmVariants.Of(Arm.Parse("ews=shapes,ews.search=random"))];
        Share("plain");
        var first = Costs();
        // With the other one as the baseline, costs are counted in another unit.
        Share("ews");
        Assert.Equal(4, Costs().Count);
        Assert.All(first, cost => Assert.Equal(cost.Value, Costs()[cost.Key]));

        void Share(string baseline) => ComputeBudget.Share(arms, baseline, common, folder["out"], new SilentObserver());

        Dictionary<string, double> Costs() => ComputeBudget.Read(folder["out/budget.json"]);
    }

    private static string Epoch(params string[] settings) =>
        ComputeBudget.NameOf(RecipeFile.Load("shapes", settings), RecipeFile.Load("shapes", ["ews.search=off"]));
}
