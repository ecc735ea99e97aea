namespace WeakLink.Tests.Core;

public class LookAlikesTests
{
    [Theory]
    [InlineData("cat", "Cat", "differ in capitals alone")]
    [InlineData("НОС", "нос", "differ in capitals alone")]
    [InlineData("ΗΜΕΡΑ", "ημερα", "differ in capitals alone")]
    [InlineData("caf\u00e9", "cafe\u0301", "character 4 (U+00E9 and U+0065)")]
    [InlineData("Việt", "Vie\u0323\u0302t", "character 3 (U+1EC7 and U+0065)")]
    [InlineData("ガラス", "カ\u3099ラス", "character 1")]
    [InlineData("고양이", "\u1100\u1169\u110b\u1163\u11bc\u110b\u1175", "character 1")]
    [InlineData("cat", "cаt", "character 2 (U+0061 and U+0430)")]
    [InlineData("CAT", "СΑТ", "character 1")]
    [InlineData("cat", "ｃａｔ", "character 1")]
    [InlineData("cat", "cat\u200b", "character 4 (nothing and U+200B)")]
    [InlineData("cat", "\ufeffcat", "character 1")]
    [InlineData("cat", "cat ", "character 4 (nothing and U+0020)")]
    [InlineData("golden retriever", "golden_retriever", "character 7")]
    [InlineData("golden retriever", "golden\u00a0retriever", "character 7")]
    public void NamesThatLookAlike_AreToldHowTheyDiffer(string one, string other, string how)
    {
        var (first, second) = Assert.Single(LookAlikes.In(["ship", one, "frog", other]));
        Assert.Equal((one, other), (first, second));
        Assert.Contains(how, LookAlikes.Difference(one, other), StringComparison.Ordinal);
        Assert.Contains($"'{other}' and '{one}'", LookAlikes.Hint(other, ["ship", one]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bar", "bär")]
    [InlineData("еж", "ёж")]
    [InlineData("ハ", "バ")]
    [InlineData("가", "각")]
    [InlineData("cat", "cats")]
    [InlineData("1", "11")]
    [InlineData("\ud83d\udc31", "\ud83d\udc36")]
    public void OthersDoNot(string one, string other)
    {
        Assert.Empty(LookAlikes.In([one, other]));
        Assert.Empty(LookAlikes.Hint(other, [one]));
    }
}
