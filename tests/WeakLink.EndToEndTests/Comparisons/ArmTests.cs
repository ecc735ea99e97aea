using WeakLink.Comparisons;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Comparisons;

public class ArmTests
{
    [Theory]
    [InlineData("shapes", "shapes", "shapes", "")]
    [InlineData("plain=shapes", "plain", "shapes", "")]
    [InlineData("plain=shapes,ews.search=off", "plain", "shapes", "ews.search=off")]
    [InlineData("shapes,ews.search=off,training.epochs=3", "shapes ews.search=off training.epochs=3", "shapes", "ews.search=off|training.epochs=3")]
    [InlineData("mix=small,augmentation.sequence=crop,flip,augmix,objective.kind=consistency", "mix", "small", "augmentation.sequence=crop,flip,augmix|objective.kind=consistency")]
    [InlineData(" a = shapes , ews.width = 0.5 ", "a", "shapes", "ews.width = 0.5")]
    [InlineData("a=folder/my.yaml", "a", "folder/my.yaml", "")]
    [InlineData("folder/my.yaml", "my", "folder/my.yaml", "")]
    public void Text_IsNameRecipeAndSettings(string text, string name, string recipe, string settings)
    {
        var arm = Arm.Parse(text);
        Assert.Equal((name, recipe, settings), (arm.Name, arm.Recipe, string.Join('|', arm.Settings)));
    }

    [Theory]
    [InlineData("plain=shapes,off", "'off' is no setting")]
    [InlineData("plain=", "names no recipe")]
    [InlineData("plain=,ews.search=off", "names no recipe")]
    public void Text_ThatIsNoArm_IsRefused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => Arm.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void ValuesWithABarBetween_AreVariants_EachCombinationOnce()
    {
        var arm = Arm.Parse("plain=small,ews.search=off,training.epochs=40|80,training.weight-decay=0.0005 | 0.001");
        Assert.Equal(
            [
                ("plain training.epochs=40 training.weight-decay=0.0005", 40, 0.0005), ("plain training.epochs=40 training.weight-decay=0.001", 40, 0.001),
                ("plain training.epochs=80 training.weight-decay=0.0005", 80, 0.0005), ("plain training.epochs=80 training.weight-decay=0.001", 80, 0.001),
            ],
            arm.Variants().Select(variant => (variant.Name, variant.Load(0, []).Training.Epochs, variant.Load(0, []).Training.WeightDecay)));
        var one = new Arm("ews", "small");
        Assert.Same(one, Assert.Single(one.Variants()));
    }

    [Fact]
    public void AFileWithAnEqualsSign_IsARecipe()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["a=b.yaml"], "");
        Assert.Equal(folder["a=b.yaml"], Arm.Parse(folder["a=b.yaml"]).Recipe);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("shapes ews.search=off", "shapes-ews.search=off")]
    [InlineData("EWS, ρ = 0.9", "EWS-ρ-=-0.9")]
    [InlineData("../../elsewhere", "elsewhere")]
    [InlineData("a/b\\c:d", "a-b-c-d")]
    public void Folder_IsTheName_WithoutWhatPathsCantHold(string name, string folder) => Assert.Equal(folder, new Arm(name, "shapes").Folder);

    [Fact]
    public void Settings_WinOverThoseOfAllArms_AndNoneSetsTheSeed()
    {
        Assert.Equal((0.5, 7), (new Arm("a", "shapes", "ews.width=0.5").Load(7, ["ews.width=0.9"]).Ews.Width, new Arm("a", "shapes").Load(7, []).Seed));
        Assert.Contains("number of seeds", Assert.Throws<InputException>(() => new Arm("a", "shapes", "seed=1").Load(0, [])).Message, StringComparison.Ordinal);
        Assert.Contains("number of seeds", Assert.Throws<InputException>(() => new Arm("a", "shapes").Load(0, ["seed=1"])).Message, StringComparison.Ordinal);
    }
}
