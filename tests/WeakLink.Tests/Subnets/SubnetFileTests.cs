using WeakLink.Subnets;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Subnets;

public class SubnetFileTests
{
    private static readonly SubnetSpace Space = new([new Choice("layer1.0.paths", 2), new Choice("layer1.0.channels", 6)]);
    private static readonly Subnet One = new([[0, 1], [0, 2, 5]]);

    [Fact]
    public void WhatIsWritten_IsReadAgain()
    {
        using var folder = new TemporaryFolder();
        SubnetFile.Write(folder["s.json"], "resnet8", Space, One);
        Assert.Equal(One.Kept, SubnetFile.Read(folder["s.json"], "resnet8", Space).Kept);
    }

    [Fact]
    public void OfAnotherNetwork_IsRefused()
    {
        using var folder = new TemporaryFolder();
        SubnetFile.Write(folder["s.json"], "resnet8", Space, One);
        string Refused(string network, params Choice[] choices) => Assert.Throws<InputException>(() => SubnetFile.Read(folder["s.json"], network, new SubnetSpace(choices))).Message;
        Assert.Contains("one of resnet8, not of resnet20", Refused("resnet20", [.. Space.Choices]), StringComparison.Ordinal);
        Assert.Contains("makes 2 choices, this resnet8 has 1", Refused("resnet8", Space.Choices[0]), StringComparison.Ordinal);
        Assert.Contains("6 items of 'layer1.0.channels', this resnet8 of 12", Refused("resnet8", Space.Choices[0], new Choice("layer1.0.channels", 12)), StringComparison.Ordinal);
        Assert.Contains("There is no subnet file", Assert.Throws<InputException>(() => SubnetFile.Read(folder["none.json"], "resnet8", Space)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"kept\": [\n        0,\n        2,\n        5", "\"kept\": [\n        0,\n        2,\n        4")]
    [InlineData("{", "")]
    [InlineData("resnet8", "resnet9")]
    public void Changed_IsRefused(string from, string to)
    {
        using var folder = new TemporaryFolder();
        SubnetFile.Write(folder["s.json"], "resnet8", Space, One);
        var text = File.ReadAllText(folder["s.json"]);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(folder["s.json"], text.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains("is not a subnet that WeakLink wrote", Assert.Throws<InputException>(() => SubnetFile.Read(folder["s.json"], "resnet8", Space)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASubnetOfAnotherSpace_IsNoSubnet()
    {
        foreach (var kept in new long[][] { [], [-1], [6], [2, 1], [1, 1] })
        {
            Assert.Contains("layer1.0.channels", Assert.Throws<ArgumentException>(() => new Subnet([[0], kept]).RequireOf(Space)).Message, StringComparison.Ordinal);
        }

        Assert.Throws<ArgumentException>(() => new Subnet([[0]]).RequireOf(Space));
        Assert.Throws<ArgumentException>(() => new SubnetSpace([Space.Choices[0], Space.Choices[0]]));
        Assert.Throws<ArgumentException>(() => new SubnetSpace([new Choice("none", 0)]));
    }
}
