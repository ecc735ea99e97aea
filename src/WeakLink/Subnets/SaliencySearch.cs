namespace WeakLink.Subnets;

/// <summary>
/// Leaves out what the network needs most, to first order: items are kept the more likely, the more (or the less negatively) the loss grows with their gate (see
/// <see cref="SearchBatch.GateGradients"/>). It learns nothing and costs a forward and a backward pass a step.
/// </summary>
/// <param name="space">What to choose from.</param>
/// <param name="width">Subnet width ρ in (0, 1].</param>
/// <param name="sharpness">Scores are the gradients of a choice in units of their standard deviation, times this: 0 is a random search, infinity leaves out the items of the lowest gradients.</param>
public sealed class SaliencySearch(SubnetSpace space, double width, double sharpness = SaliencySearch.UsualSharpness) : ISubnetSearch
{
    /// <summary>Enough to choose by the gradients, little enough that a channel is not left out at every step.</summary>
    public const double UsualSharpness = 3;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">There is no batch to judge by.</exception>
    public Subnet Propose(SearchContext context)
    {
        var gradients = (context.Batch ?? throw new InvalidOperationException("A saliency search needs a batch to judge by.")).GateGradients();
        return Subnet.Of(space.Choices.Zip(gradients, (choice, gradient) => Draw(gradient, choice.Kept(width), context.Random)).ToList());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private long[] Draw(float[] gradients, int count, SeededRandom random)
    {
        if (double.IsPositiveInfinity(sharpness))
        {
            return [.. Enumerable.Range(0, gradients.Length).OrderByDescending(item => gradients[item]).Take(count).Select(item => (long)item)];
        }

        var mean = gradients.Average();
        var deviation = Math.Sqrt(gradients.Average(gradient => Math.Pow(gradient - mean, 2)));
        // Items that are all alike are drawn as at random.
        return PlackettLuce.Sample([.. gradients.Select(gradient => deviation > 0 ? (float)(sharpness * (gradient - mean) / deviation) : 0)], count, random);
    }
}
