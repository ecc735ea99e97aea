using TorchSharp;

namespace WeakLink.Training;

/// <summary>
/// An exponential moving average of a network's weights (Polyak and Juditsky 1992; as in TensorFlow and timm): after step t, average ← d · average + (1 − d) · weights with
/// d = min(decay, (1 + t) / (10 + t)), so that the initial weights are soon forgotten. The running averages of batch norm are averaged likewise, what is no number of a fraction is taken as it is.
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly (string Name, torch.Tensor Weight, torch.Tensor Average)[] _pairs;
    private readonly double _decay;

    /// <summary>Begins with the weights as they are.</summary>
    /// <param name="network">The network, on the device on which it is trained.</param>
    /// <param name="decay">The decay, in [0, 1).</param>
    public WeightAverage(torch.nn.Module network, double decay)
    {
        _decay = decay;
        _pairs = [.. network.state_dict().Select(pair => (pair.Key, pair.Value.detach().DetachFromDisposeScope(), pair.Value.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>The average of every tensor by its name in the state dictionary; live, not copies.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> State => _pairs.ToDictionary(pair => pair.Name, pair => pair.Average);

    /// <summary>Takes the weights in.</summary>
    /// <param name="step">The step of the run that moved them, from 0.</param>
    public void Update(long step)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var part = 1 - Math.Min(_decay, (1.0 + step) / (10.0 + step));
        foreach (var (_, weight, average) in _pairs)
        {
            if (weight.is_floating_point())
            {
                // What stays the same, such as the normalisation, does so to the bit.
                average.add_(weight - average, Kept(part));
            }
            else
            {
                average.copy_(weight);
            }
        }
    }

    /// <summary>The network has the average's weights until what is returned is disposed of; then it has its own again, to the bit.</summary>
    public IDisposable Applied()
    {
        using var noGradients = torch.no_grad();
        var own = new FormerValues([.. _pairs.Select(pair => pair.Weight)]);
        foreach (var (_, weight, average) in _pairs)
        {
            weight.copy_(average);
        }

        return own;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, weight, average) in _pairs)
        {
            weight.Dispose();
            average.Dispose();
        }
    }
}
