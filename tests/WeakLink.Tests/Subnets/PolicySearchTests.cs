using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Tests.Subnets;

public class PolicySearchTests
{
    private static readonly SubnetSpace Small = Space(3, 2);

    private static SubnetSpace Space(int first, int second) =>
        new([new Choice("layer1.0.paths", 2), new Choice("layer1.0.channels", first), new Choice("layer1.1.paths", 2), new Choice("layer1.1.channels", second)]);

    [Fact]
    public void ProbabilitiesOfAllWalks_SumToOne()
    {
        using var scope = torch.NewDisposeScope();
        using var search = new PolicySearch(Small, new EwsRecipe { Width = 0.5, Hidden = 6 }, 3);
        Assert.Equal(1, Walks(search).Sum(walk => Math.Exp(walk.LogLikelihood.ToDouble())), 1e-5);
    }

    [Fact]
    public void GradientEstimate_IsUnbiased()
    {
        // Every walk of a small space, weighted with its probability, gives the expectation of the estimate; finite differences
        // of the enumerated expected reward give the truth. The baseline must not change it.
        using var scope = torch.NewDisposeScope();
        using var search = new PolicySearch(Small, new EwsRecipe { Width = 0.5, Hidden = 6, EntropyBonus = 0 }, 3);
        var parameters = search.Policy.parameters().ToList();
        foreach (var baseline in new[] { 0.0, -0.7 })
        {
            search.Policy.zero_grad();
            foreach (var walk in Walks(search))
            {
                (search.Surrogate(walk, Reward(walk.Subnet) - baseline) * Math.Exp(walk.LogLikelihood.ToDouble())).backward();
            }

            var gradient = parameters.Select(parameter => parameter.grad?.clone() ?? torch.zeros_like(parameter)).ToList();
            var norm = Math.Sqrt(gradient.Sum(part => part.square().sum().ToDouble()));
            Assert.True(norm > 1e-3, "a flat objective tests nothing");

            using var random = new torch.Generator(7);
            var directions = new[] { gradient.Select(part => part / norm).ToList(), [.. gradient.Select(part => torch.randn(part.shape, generator: random) * 0.1)] };
            foreach (var direction in directions)
            {
                const double Step = 0.02;
                var difference = (Loss(search, parameters, direction, Step) - Loss(search, parameters, direction, -Step)) / (2 * Step);
                var estimated = gradient.Zip(direction).Sum(pair => (pair.First * pair.Second).sum().ToDouble());
                Assert.Equal(difference, estimated, 1e-3 * Math.Max(norm, Math.Abs(difference)));
            }
        }
    }

    [Fact]
    public void EntropyBonus_PullsTowardsUniformChoices()
    {
        using var scope = torch.NewDisposeScope();
        using var search = new PolicySearch(Small, new EwsRecipe { Width = 0.5, Hidden = 6, EntropyBonus = 1, PolicyLearningRate = 0.05, PolicyGradientClip = 0 }, 3);
        using (torch.no_grad())
        {
            // Start far from uniform.
            foreach (var (name, scores) in search.Policy.named_parameters().Where(parameter => parameter.name.StartsWith("scores", StringComparison.Ordinal)))
            {
                scores.mul_(400);
            }
        }

        var before = MeanEntropy(search);
        for (var step = 0; step < 300; step += 10)
        {
            search.Learn(step, new SeededRandom(1, RandomUse.Proposal, 0, step), 0.5);
        }

        Assert.True(MeanEntropy(search) > before + 0.1, $"entropy went from {before:0.000} to {MeanEntropy(search):0.000}");
    }

    [Fact]
    public void ProposalsOfATrainedPolicy_AreWeakerThanRandomOnes()
    {
        using var scope = torch.NewDisposeScope();
        var network = new ToyNetwork();
        using var random = new RandomSearch(network.Space, 0.5);
        using var policy = new PolicySearch(network.Space, new EwsRecipe { Width = 0.5, PolicyEvery = 1, PolicyLearningRate = 0.01 }, 0);
        var before = Accuracy(network, policy);
        for (var step = 0; step < 300; step++)
        {
            SeededRandom Draws() => new(0, RandomUse.Proposal, 0, step);
            using var stepScope = torch.NewDisposeScope();
            var (images, labels) = ToyNetwork.Batch(new SeededRandom(1, RandomUse.Objective, 0, step), 128);
            policy.Learn(step, Draws(), network.forward(images, policy.Propose(new SearchContext(Draws()))).argmax(1).eq(labels).to(torch.float32).mean().ToDouble());
        }

        var (searched, uniform) = (Accuracy(network, policy), Accuracy(network, random));
        Assert.Equal(uniform, before, 0.04);
        Assert.True(searched < uniform - 0.1, $"searched {searched:p1}, random {uniform:p1}");
    }

    [Fact]
    public void LoadedState_ContinuesToTheSameBits()
    {
        using var scope = torch.NewDisposeScope();
        var options = new EwsRecipe { Width = 0.5, PolicyEvery = 1 };
        using var whole = new PolicySearch(Small, options, 0);
        Learn(whole, 0, 20);
        using var first = new PolicySearch(Small, options, 0);
        Learn(first, 0, 9);
        var saved = first.State().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var second = new PolicySearch(Small, options, 99);
        second.Load(saved);
        Learn(second, 9, 20);

        var expected = whole.State();
        Assert.Contains(expected.Keys, name => name.StartsWith("adam.second.", StringComparison.Ordinal));
        foreach (var (name, tensor) in second.State())
        {
            Assert.True(tensor.equal(expected[name]).all().ToBoolean(), name);
        }
    }

    [Fact]
    public void StateOfAnotherSpace_IsRefusedByName()
    {
        using var scope = torch.NewDisposeScope();
        using var search = new PolicySearch(Small, new EwsRecipe { Width = 0.5 }, 0);
        using var other = new PolicySearch(Space(3, 5), new EwsRecipe { Width = 0.5 }, 0);
        Assert.Contains("1_channels", Assert.Throws<InputException>(() => search.Load(other.State())).Message);
        using var narrower = new PolicySearch(Small, new EwsRecipe { Width = 0.7 }, 0);
        Assert.Contains("does not fit", Assert.Throws<InputException>(() => narrower.Load(search.State())).Message);
    }

    [Fact]
    public void Learning_LeavesNoTensorBehind()
    {
        using var search = new PolicySearch(Small, new EwsRecipe { Width = 0.5, PolicyEvery = 1 }, 0);
        Learn(search, 0, 2);
        var before = LiveTensors.Before();
        Learn(search, 2, 12);
        Assert.Equal(before, LiveTensors.After());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.99)]
    public void WidthThatKeepsEverything_LeavesNothingToLearn(double width)
    {
        using var search = new PolicySearch(Small, new EwsRecipe { Width = width }, 0);
        search.Learn(0, new SeededRandom(0, RandomUse.Proposal), 0.5);
        Assert.All(search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal))).Kept.Zip(Small.Choices), pair => Assert.Equal(pair.Second.Items, pair.First.Count));
    }

    [Fact]
    public void KeptCounts_AreTheCeilingOfWidthTimesCount()
    {
        Assert.Equal([7, 12, 23, 45, 2, 1, 1], new[] { (0.7, 10), (0.7, 16), (0.7, 32), (0.7, 64), (0.7, 2), (0.5, 2), (0.01, 3) }.Select(pair => new Choice("", pair.Item2).Kept(pair.Item1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Choice("", 4).Kept(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Choice("", 4).Kept(1.01));
    }

    private static void Learn(PolicySearch search, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            search.Propose(new SearchContext(new SeededRandom(2, RandomUse.Proposal, 0, step)));
            search.Learn(step, new SeededRandom(2, RandomUse.Proposal, 0, step), (step % 7) / 7.0);
        }
    }

    private static double Accuracy(ToyNetwork network, ISubnetSearch search)
    {
        var (images, labels) = ToyNetwork.Batch(new SeededRandom(9, RandomUse.Objective), 2000);
        return Enumerable.Range(0, 40).Average(i =>
            network.forward(images, search.Propose(new SearchContext(new SeededRandom(8, RandomUse.Proposal, 0, i)))).argmax(1).eq(labels).to(torch.float32).mean().ToDouble());
    }

    private static double MeanEntropy(PolicySearch search)
    {
        var walks = Walks(search).ToList();
        return walks.Sum(walk => Math.Exp(walk.LogLikelihood.ToDouble()) * walk.Entropy.ToDouble());
    }

    // Something that depends on every choice.
    private static double Reward(Subnet subnet) =>
        -subnet.Kept.Chunk(2).Select((block, i) => (block[1].Sum(channel => 1.0 / (channel + i + 1)) * (block[0].Contains(0) ? 0.3 : 0.1)) + (block[0].Contains(1) ? 0.05 : 0)).Sum();

    private static double Loss(PolicySearch search, List<TorchSharp.Modules.Parameter> parameters, List<torch.Tensor> direction, double step)
    {
        using var noGradients = torch.no_grad();
        foreach (var (parameter, part) in parameters.Zip(direction))
        {
            parameter.add_(part, alpha: step);
        }

        var loss = Walks(search).Sum(walk => Math.Exp(walk.LogLikelihood.ToDouble()) * -Reward(walk.Subnet));
        foreach (var (parameter, part) in parameters.Zip(direction))
        {
            parameter.add_(part, alpha: -step);
        }

        return loss;
    }

    /// <summary>Every walk that the policy can take.</summary>
    private static IEnumerable<SubnetPolicy.Walk> Walks(PolicySearch search)
    {
        // For width 0.5: one of two paths, two of three channels; one of two paths, one of two channels.
        var choices = new[] { (2, 1), (3, 2), (2, 1), (2, 1) }.Select(choice => PlackettLuceTests.Orders(choice.Item1, choice.Item2).ToList()).ToList();
        foreach (var a in choices[0])
        {
            foreach (var b in choices[1])
            {
                foreach (var c in choices[2])
                {
                    foreach (var d in choices[3])
                    {
                        yield return search.Policy.Run((choice, _, count) =>
                        {
                            var drawn = new[] { a, b, c, d }[choice];
                            Assert.Equal(count, drawn.Length);
                            return drawn;
                        });
                    }
                }
            }
        }
    }
}
