using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>Proposes the subnet that a training step teaches. One that learns nothing needs no <see cref="Learn"/>, <see cref="State"/> and <see cref="Load"/>.</summary>
public interface ISubnetSearch : IDisposable
{
    /// <summary>Chooses a subnet.</summary>
    /// <param name="context">What there is to choose by; a search pays for what it asks.</param>
    Subnet Propose(SearchContext context);

    /// <summary>
    /// Learns how the last proposal did. Called after every proposal; a search that learns only every so often counts for itself by <paramref name="step"/>.
    /// </summary>
    /// <param name="step">Proposals before this one: the training step, from 0, where every step teaches a subnet.</param>
    /// <param name="random">Random numbers that start where those of <see cref="Propose"/> did: the same draws can be made again.</param>
    /// <param name="accuracy">Accuracy in [0, 1] of the proposed subnet on the current training batch, as the objective perturbed it.</param>
    void Learn(long step, SeededRandom random, double accuracy)
    {
    }

    /// <summary>Everything a checkpoint must hold for the search to continue exactly: parameters, optimiser state, baseline. Names are unique; tensors are live, not copies.</summary>
    IReadOnlyDictionary<string, torch.Tensor> State() => new Dictionary<string, torch.Tensor>();

    /// <summary>Continues from a state that <see cref="State"/> gave.</summary>
    /// <exception cref="InputException">A tensor is missing or has another shape.</exception>
    void Load(IReadOnlyDictionary<string, torch.Tensor> state)
    {
    }
}
