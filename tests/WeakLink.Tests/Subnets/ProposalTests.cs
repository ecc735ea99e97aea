using System.Security.Cryptography;
using System.Text;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

/// <summary>The same seed gives the same subnets, and the same names in checkpoints, as when a subnet was a list of channels and two paths a block.</summary>
public class ProposalTests
{
    public ProposalTests() => NativeLibraries.Load();

    // Made by the version before, of 26 November 2026 (commit 3ff19cb): five proposals of both searches in turn, then the names of the policy's state.
    [Theory]
    [InlineData("resnet8", 0.4, "3a0a8efbc68c49db")]
    [InlineData("resnet8", 0.7, "65e3133498762ea2")]
    [InlineData("preact-resnet18", 0.4, "8b8c4ee162dcd481")]
    [InlineData("preact-resnet18", 0.7, "f49356bb3870541f")]
    [InlineData("wide-resnet-10-2", 0.4, "346fdcdc4c644d0d")]
    [InlineData("wide-resnet-10-2", 0.7, "d538478c507fed88")]
    [InlineData("resnet50", 0.7, "74b7548ffc2449ea")]
    public void ProposalsOfASeed_AreThoseOfTheVersionBefore(string name, double width, string expected)
    {
        using var network = NetworkCatalogue.Create(name, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 3, widthMultiplier: 0.25);
        using var random = new RandomSearch(network.Space, width);
        using var policy = new PolicySearch(network.Space, new EwsRecipe { Width = width, PolicyEvery = 1, PolicyLearningRate = 0.01 }, 5);
        var texts = new List<string>();
        for (var step = 0; step < 5; step++)
        {
            SeededRandom Draws() => new(7, RandomUse.Proposal, 0, step);
            texts.Add(Text(random.Propose(new SearchContext(Draws()))));
            texts.Add(Text(policy.Propose(new SearchContext(Draws()))));
            policy.Learn(step, Draws(), (step % 3) / 3.0);
        }

        texts.AddRange(policy.State().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join("\n", texts))))[..16]);
    }

    [Theory]
    [InlineData("resnet8", "cb860f4b4b502589")]
    [InlineData("preact-resnet18", "d4e31e21ffa16988")]
    [InlineData("wide-resnet-10-2", "11e994b0762f0101")]
    [InlineData("resnet50", "231258260430152d")]
    public void WeightsOfASeed_AndTheirNames_AreThoseOfTheVersionBefore(string name, string expected)
    {
        using var network = NetworkCatalogue.Create(name, 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 3, widthMultiplier: 0.25);
        var bytes = network.state_dict().OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => Encoding.UTF8.GetBytes(pair.Key).Concat(pair.Value.contiguous().bytes.ToArray())).ToArray();
        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
    }

    private static string Text(Subnet subnet) => string.Join("|", subnet.Kept.Chunk(2).Select(block => $"{string.Concat(block[0])};{string.Join(",", block[1])}"));
}
