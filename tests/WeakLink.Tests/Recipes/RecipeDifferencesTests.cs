using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Recipes;

public class RecipeDifferencesTests
{
    [Fact]
    public void WhatARunFilledIn_IsNoContradiction()
    {
        using var folder = new TemporaryFolder();
        var asked = RecipeFile.Parse("", "recipe", [$"data.source={Path.GetRelativePath(Environment.CurrentDirectory, folder.Path)}", "training.workers=1"]);
        var resolved = asked with
        {
            Data = asked.Data with { Source = folder.Path, Size = 32, Fingerprint = "abc" },
            Model = asked.Model with { Mean = [0.1, 0.2, 0.3], StandardDeviation = [1, 1, 1] },
            Training = asked.Training with { Precision = Precision.Bf16, Layout = Layout.ChannelsLast, Threads = 2, Workers = 0 },
        };
        Assert.Null(RecipeDifferences.Contradiction(asked, resolved));
    }

    [Theory]
    [InlineData("training.epochs=7", "training.epochs")]
    [InlineData("seed=7", "seed")]
    [InlineData("ews.search=off", "ews.search")]
    [InlineData("training.precision=bf16", "training.precision")]
    [InlineData("evaluation.corruption-images=7", "evaluation.corruption-images")]
    [InlineData("data.source=cifar10", "data.source")]
    [InlineData("augmentation.sequence=flip,crop", "augmentation.sequence")]
    public void AnotherValue_IsNamed(string setting, string key)
    {
        var run = RecipeFile.Parse("", "recipe", ["training.precision=fp32", "training.layout=contiguous"]);
        Assert.Equal(key, RecipeDifferences.Contradiction(RecipeFile.Parse("", "recipe", [setting]), run)?.Key);
    }

    [Theory]
    [InlineData("objective.step-size=auto", "objective.step-size=2/255", null)]
    [InlineData("objective.step-size=auto", "objective.step-size=1/255", "objective.step-size")]
    [InlineData("objective.step-size=0.1", "objective.step-size=0.1", null)]
    public void AStepSizeThatFollows_IsCompared(string asked, string there, string? key)
    {
        Recipe With(string setting) => RecipeFile.Parse("", "recipe", ["objective.kind=pgd", setting]);
        var resolved = With(there) with { Objective = With(there).Objective.WithStepSize() };
        Assert.Equal(key, RecipeDifferences.Contradiction(With(asked), resolved)?.Key);
    }

    [Fact]
    public void Between_NamesTheKeysThatDiffer_WithoutWhatFollowsFromTheSeed()
    {
        var recipe = new Recipe();
        var other = recipe with
        {
            Seed = 3,
            Data = new DataRecipe { Fingerprint = "x" },
            Model = recipe.Model with { Mean = [0.5, 0.5, 0.5], StandardDeviation = [1, 1, 1] },
            Ews = recipe.Ews with { Width = 0.5 },
        };
        var (key, values) = Assert.Single(RecipeDifferences.Between([recipe, other]));
        Assert.Equal(("ews.width", "0.7", "0.5"), (key, values[0], values[1]));
        Assert.Equal(RecipeDifferences.WithoutSeed(recipe), RecipeDifferences.WithoutSeed(other with { Ews = recipe.Ews }));
    }
}
