using WeakLink.Comparisons;
using WeakLink.Recipes;
using WeakLink.Subnets;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Comparisons;

public class ComparedArmTests
{
    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "a/")]
    [InlineData("a", "./b/../a")]
    public void OneRun_IsNotComparedWithItself(string one, string same)
    {
        using var folder = new TemporaryFolder();
        MadeRuns.Write(folder["a"], new Recipe());
        MadeRuns.Write(folder["b"], new Recipe { Seed = 1 });
        foreach (var names in new (string?, string?)[] { (null, null), ("first", "second") })
        {
            Assert.Contains("named twice", Assert.Throws<InputException>(() => ComparedArm.Group([new(names.Item1, folder[one]), new(names.Item2, folder[same]), new(null, folder["b"])])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Runs_AreGroupedByRecipe_AndCalledByTheirFolders()
    {
        using var folder = new TemporaryFolder();
        var (plain, ews) = (new Recipe { Ews = new EwsRecipe { Search = SearchKind.Off } }, new Recipe());
        var arms = ComparedArm.Group(
        [
            Run("plain-1", plain with { Seed = 1 }), Run("ews-0", ews), Run("plain-0", plain), Run("other", new Recipe { Name = "x", Ews = new EwsRecipe { Width = 0.5 } }),
        ]);
        Assert.Equal(["plain", "ews", "other"], arms.Select(arm => arm.Name));
        Assert.Equal([0, 1], arms[0].Seeds);
        Assert.Equal(20 * plain.Training.Batch, arms[0].Runs[0].ImagesSeen);

        NamedRun Run(string name, Recipe recipe) => new(null, MadeRuns.Write(folder[name], recipe));
    }

    [Fact]
    public void FoldersOfOneName_AreToldApartByWhereTheyAre()
    {
        using var folder = new TemporaryFolder();
        var arms = ComparedArm.Group([new(null, MadeRuns.Write(folder["old/plain-0"], new Recipe())), new(null, MadeRuns.Write(folder["new/plain-0"], new Recipe { Ews = new EwsRecipe { Width = 0.5 } }))]);
        Assert.Equal(["old/plain", "new/plain"], arms.Select(arm => arm.Name));
    }

    [Fact]
    public void WhatIsNoArm_IsRefused()
    {
        using var folder = new TemporaryFolder();
        MadeRuns.Write(folder["a"], new Recipe());
        MadeRuns.Write(folder["b"], new Recipe());
        MadeRuns.Write(folder["c"], new Recipe { Seed = 1, Ews = new EwsRecipe { Width = 0.5 } });
        MadeRuns.Write(folder["begun"], new Recipe());
        File.Delete(folder["begun/summary.json"]);
        Directory.CreateDirectory(folder["photos"]);
        Assert.Contains("one seed", Refused(null, "a", "b"), StringComparison.Ordinal);
        Assert.Contains("ews.width (0.7 and 0.5)", Refused("x", "a", "c"), StringComparison.Ordinal);
        Assert.Contains("resume it", Refused(null, "begun"), StringComparison.Ordinal);
        Assert.Contains("holds no run", Assert.Throws<InputException>(() => NamedRun.Parse(folder["photos"])).Message, StringComparison.Ordinal);
        Assert.Null(NamedRun.Parse("shapes,ews.search=off"));
        Assert.Equal(new NamedRun("x", folder["a"]), NamedRun.Parse($"x={folder["a"]}"));

        string Refused(string? name, params string[] runs) => Assert.Throws<InputException>(() => ComparedArm.Group(runs.Select(run => new NamedRun(name, folder[run])))).Message;
    }
}
