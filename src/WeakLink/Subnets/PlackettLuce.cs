using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>
/// Sampling k of n items without replacement, one after the other, each with probability proportional to exp(score) among those
/// left (Luce 1959, Plackett 1975).
/// </summary>
public static class PlackettLuce
{
    /// <summary>Draws k items in the order of drawing: the k largest of score + Gumbel noise (Gumbel-top-k; Yellott 1977).</summary>
    /// <param name="scores">n unnormalised log-probabilities.</param>
    /// <param name="count">k.</param>
    /// <param name="random">The draws.</param>
    public static long[] Sample(ReadOnlySpan<float> scores, int count, SeededRandom random)
    {
        var keys = new double[scores.Length];
        var items = new long[scores.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            // Negative, because Array.Sort ascends.
            keys[i] = -(scores[i] + random.NextGumbel());
            items[i] = i;
        }

        Array.Sort(keys, items);
        return items[..count];
    }

    /// <summary>The exact log-likelihood of drawing these items in this order.</summary>
    /// <param name="scores">n unnormalised log-probabilities.</param>
    /// <param name="drawn">k different items, in the order of drawing.</param>
    /// <returns>A scalar, differentiable in the scores.</returns>
    public static torch.Tensor LogLikelihood(torch.Tensor scores, IReadOnlyList<long> drawn)
    {
        using var scope = torch.NewDisposeScope();
        var left = Enumerable.Range(0, (int)scores.shape[0]).Select(i => (long)i).Except(drawn);
        var ordered = scores.index_select(0, torch.tensor(drawn.Concat(left).ToArray(), device: scores.device));
        // The i-th draw chooses among ordered[i..]: the log of the sum of their exponentials, for all i at once.
        var choices = ordered.flip(0).logcumsumexp(0).flip(0);
        return (ordered - choices).narrow(0, 0, drawn.Count).sum().MoveToOuterDisposeScope();
    }
}
