using TorchSharp;
using WeakLink.Evaluation;
using WeakLink.Runtime;
using WeakLink.Subnets;
using WeakLink.Tests.Subnets;

namespace WeakLink.Tests.Evaluation;

public class SearchTrialTests
{
    private const int Passes = 40;

    public SearchTrialTests() => NativeLibraries.Load();

    [Fact]
    public void EveryPassIsOneAccuracy_AndTheMinimaNeverRise()
    {
        var network = new ToyNetwork();
        foreach (var search in new ISubnetSearch[] { new RandomSearch(network.Space, 0.5), new PolicySearch(network.Space, new EwsRecipe { Width = 0.5, PolicyEvery = 1 }, seed: 1) })
        {
            using (search)
            {
                var calls = 0;
                var trial = SearchTrial.Run(search, subnet => Accuracy(network, subnet, ref calls), Passes, draws: 1, seed: 5);
                Assert.Equal(Passes, calls);
                Assert.Equal(Passes, trial.Accuracies.Count);
                Assert.Equal(trial.Accuracies[0], trial.RunningMinima[0]);
                Assert.All(trial.RunningMinima.Zip(trial.RunningMinima.Skip(1)), pair => Assert.True(pair.Second <= pair.First));
                Assert.All(trial.RunningMinima.Select((minimum, i) => (minimum, i)), pair => Assert.Equal(trial.Accuracies.Take(pair.i + 1).Min(), pair.minimum));
                Assert.Equal(trial.RunningMinima[^1], Accuracy(network, trial.Weakest!, ref calls));
            }
        }
    }

    [Fact]
    public void TheSameDraws_GiveTheSameTrial_OthersAnother()
    {
        var network = new ToyNetwork();
        IReadOnlyList<double> Trial(int draws, long seed)
        {
            var calls = 0;
            using var search = new RandomSearch(network.Space, 0.5);
            return SearchTrial.Run(search, subnet => Accuracy(network, subnet, ref calls), Passes, draws, seed).Accuracies;
        }

        Assert.Equal(Trial(1, 5), Trial(1, 5));
        Assert.NotEqual(Trial(1, 5), Trial(2, 5));
        Assert.NotEqual(Trial(1, 5), Trial(1, 6));
    }

    [Fact]
    public void NoPasses_FindNothing()
    {
        using var search = new RandomSearch(new ToyNetwork().Space, 0.5);
        var trial = SearchTrial.Run(search, _ => throw new InvalidOperationException(), 0, 0, 0);
        Assert.Null(trial.Weakest);
        Assert.Empty(trial.RunningMinima);
    }

    private static double Accuracy(ToyNetwork network, Subnet subnet, ref int calls)
    {
        calls++;
        using var scope = torch.NewDisposeScope();
        var (images, labels) = ToyNetwork.Batch(new SeededRandom(0, RandomUse.Policy), 64);
        return network.forward(images, subnet).argmax(1).eq(labels).to(torch.float64).mean().item<double>();
    }
}
