using WeakLink.Comparisons;
using WeakLink.Experiments;
using WeakLink.Runs;
using WeakLink.Tests.Comparisons;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Experiments;

public class ArmChoiceTests
{
    [Fact]
    public void WhatDoesBestOnValidationImages_IsChosen()
    {
        using var folder = new TemporaryFolder();
        ArmVariants[] arms = [ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off,training.epochs=1|2|3")), ArmVariants.Of(Arm.Parse("ews=shapes"))];
        // Finished runs, so that nothing is trained: means of 0.55, 0.65 and 0.60.
        foreach (var (epochs, accuracies) in new (int, double[])[] { (1, [0.5, 0.6]), (2, [0.6, 0.7]), (3, [0.8, 0.4]) })
        {
            foreach (var seed in (int[])[100, 101])
            {
                Write(folder[$"out/choice/plain-training.epochs={epochs}-{seed}"], arms[0].Variants[epochs - 1], seed, new(accuracies[seed - 100], epochs));
            }
        }

        var choice = ArmChoice.Of(arms, [], [100, 101], folder["out"], new SilentObserver());
        Assert.Empty(choice.Unfinished);
        Assert.Equal(["plain", "ews"], choice.Arms.Select(arm => arm.Name));
        Assert.Equal(["plain", "ews"], choice.Arms.Select(arm => arm.Folder));
        Assert.Equal(2, choice.Arms[0].Load(0, []).Training.Epochs);
        Assert.Equal(
            ["plain training.epochs=2 was chosen, by accuracy on validation images with seed 100, 101: plain training.epochs=1 55.0%, plain training.epochs=2 65.0%, plain training.epochs=3 60.0%."],
            choice.Findings);
    }

    [Fact]
    public void WithoutValidationImages_NothingIsChosen()
    {
        using var folder = new TemporaryFolder();
        ArmVariants[] arms = [ArmVariants.Of(Arm.Parse("plain=shapes,ews.search=off,training.epochs=1|2"))];
        foreach (var variant in arms[0].Variants)
        {
            Write(folder[$"out/choice/{variant.Folder}-100"], variant, 100, null);
        }

        Assert.Contains("data.validation", Assert.Throws<InputException>(() => ArmChoice.Of(arms, [], [100], folder["out"], new SilentObserver())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("adversarial-small,objective.eps=4/255|8/255", "measured under attack (Linf 4/255) for one, under attack (Linf 8/255) for another")]
    [InlineData("shapes,objective.kind=pgd|cross-entropy", "measured under attack (Linf 8/255) for one, without an attack for another")]
    public void VariantsThatAreMeasuredDifferently_AreRefused(string arm, string reason)
    {
        using var folder = new TemporaryFolder();
        var message = Assert.Throws<InputException>(() => ArmChoice.Of([ArmVariants.Of(Arm.Parse($"arm={arm}"))], [], [100], folder["out"], new SilentObserver())).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["out"]));
    }

    private static void Write(string folder, Arm variant, long seed, ValidationSummary? validation)
    {
        MadeRuns.Write(folder, variant.Load(seed, ["evaluation.corruptions=none", "evaluation.subnets=0", "evaluation.curve-images=0"]));
        File.WriteAllText(Path.Combine(folder, "summary.json"), (Summary.Read(folder) with { Validation = validation }).ToJson());
    }
}
