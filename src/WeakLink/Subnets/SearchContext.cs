using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Subnets;

/// <summary>What a search may look at before it proposes a subnet.</summary>
/// <param name="Random">The draws of this proposal.</param>
/// <param name="Step">The training step, from 0.</param>
/// <param name="Batch">What the network trains on in this step; null where there is nothing, as after training.</param>
public sealed record SearchContext(SeededRandom Random, long Step = 0, SearchBatch? Batch = null);

/// <summary>
/// A batch on which a search can judge candidates. Nothing is computed before it is asked for, and nothing changes: neither gradients nor running
/// averages of the network, nor libtorch's random numbers.
/// </summary>
/// <param name="network">The network, in training mode.</param>
/// <param name="images">N×3×H×W in [0, 1], as the objective perturbed them.</param>
/// <param name="labels">N class indices, int64.</param>
/// <param name="teacher">The full network's logits for the images, N×classes, detached.</param>
/// <param name="share">Which images of the step's batch these are; null: all.</param>
/// <param name="processes">Those that have the others; null: this one is alone. What the first of them proposes, all teach.</param>
public sealed class SearchBatch(
    ISubnetNetwork network, torch.Tensor images, torch.Tensor labels, torch.Tensor teacher, BatchShare? share = null, ProcessGroup? processes = null)
{
    private IReadOnlyList<float[]>? _gateGradients;

    /// <summary>N×3×H×W in [0, 1]: what the reward is measured on.</summary>
    public torch.Tensor Images => images;

    /// <summary>N class indices, int64.</summary>
    public torch.Tensor Labels => labels;

    /// <summary>The full network's logits, N×classes, detached.</summary>
    public torch.Tensor Teacher => teacher;

    /// <summary>Runs a candidate: a forward pass without gradients.</summary>
    /// <returns>Logits, N×classes.</returns>
    public torch.Tensor Run(Subnet subnet)
    {
        using var noGradients = torch.no_grad();
        return network.forward(images, subnet);
    }

    /// <summary>
    /// How fast the mean cross-entropy grows with every item of every choice: its gradient at gates of 1 that the items are multiplied with. An item that is
    /// left out has a gate of 0, so to first order the loss grows by minus this gradient then (Molchanov et al. 2017, "Pruning Convolutional Neural Networks").
    /// One forward and one backward pass, the first time.
    /// </summary>
    /// <returns>As many numbers as items for every choice, in the space's order.</returns>
    /// <exception cref="NotSupportedException">The network has no gates.</exception>
    public IReadOnlyList<float[]> GateGradients()
    {
        if (_gateGradients is null)
        {
            using var gradients = torch.enable_grad();
            using var scope = torch.NewDisposeScope();
            var gates = network.Space.Choices.Select(choice => torch.ones(choice.Items, device: images.device, requires_grad: true)).ToList();
            var loss = torch.nn.functional.cross_entropy(network.Gated(images, gates), labels);
            var growth = torch.autograd.grad([share?.PartOf(loss) ?? loss], gates);
            processes?.Sum(growth);
            _gateGradients = [.. growth.Select(gradient => gradient.cpu().data<float>().ToArray())];
        }

        return _gateGradients;
    }
}
