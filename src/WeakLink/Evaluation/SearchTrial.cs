using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>A search for weak subnets of a network that stands still.</summary>
/// <param name="Accuracies">Accuracy of every subnet that it proposed, in order: one for each forward pass over the reward images.</param>
/// <param name="Weakest">The first of those with the lowest accuracy; null where nothing was proposed.</param>
public sealed record SearchTrial(IReadOnlyList<double> Accuracies, Subnet? Weakest)
{
    /// <summary>The lowest accuracy found after each pass.</summary>
    public IReadOnlyList<double> RunningMinima { get; } = Minima(Accuracies);

    /// <summary>Lets a search propose and learn.</summary>
    /// <param name="search">The search; it learns from every proposal as far as its settings say.</param>
    /// <param name="accuracy">Accuracy of a subnet on always the same images: its forward pass.</param>
    /// <param name="passes">How many subnets to propose.</param>
    /// <param name="draws">Which draws: different numbers give different proposals.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="batch">What a search that looks at images looks at; always the same, since the network stands still.</param>
    public static SearchTrial Run(ISubnetSearch search, Func<Subnet, double> accuracy, int passes, int draws, long seed, SearchBatch? batch = null)
    {
        var accuracies = new List<double>();
        var (weakest, lowest) = ((Subnet?)null, double.PositiveInfinity);
        for (var pass = 0; pass < passes; pass++)
        {
            SeededRandom Draws() => new(seed, RandomUse.SubnetEvaluation, draws, pass);
            var subnet = search.Propose(new SearchContext(Draws(), pass, batch));
            var found = accuracy(subnet);
            search.Learn(pass, Draws(), found);
            (weakest, lowest) = found < lowest ? (subnet, found) : (weakest, lowest);
            accuracies.Add(found);
        }

        return new SearchTrial(accuracies, weakest);
    }

    private static double[] Minima(IReadOnlyList<double> accuracies)
    {
        var minima = accuracies.ToArray();
        for (var i = 1; i < minima.Length; i++)
        {
            minima[i] = Math.Min(minima[i], minima[i - 1]);
        }

        return minima;
    }
}
