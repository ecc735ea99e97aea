using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Objectives;

/// <summary>
/// What a training step minimises on the full network. It trains on views of the batch's images: the images themselves, augmented copies or
/// adversarial examples. With EWS the full network's logits for them then teach a subnet, which sees them in the same way.
/// </summary>
public interface IObjective
{
    /// <summary>Makes the views to train on.</summary>
    /// <param name="model">The network, in training mode.</param>
    /// <param name="views">The batch, as it was loaded: one or more views of the same N images, N×3×H×W in [0, 1] each, float32.</param>
    /// <param name="labels">N class indices (int64), or N×classes probabilities.</param>
    /// <param name="share">Which images of the step's batch these are; what an attack climbs is its part of the batch's mean (<see cref="BatchShare.PartOf"/>).</param>
    /// <param name="random">The draws of this step, for the whole batch.</param>
    /// <returns>One or more views; the search's reward is measured on the first that the subnet sees.</returns>
    IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels, BatchShare share, SeededRandom random);

    /// <summary>Which of the views is the calmest: from what the full network says of it a subnet learns that sees another view.</summary>
    int CalmView => 0;

    /// <summary>Runs a network on the views, one after the other: batch norm sees each by itself.</summary>
    /// <param name="network">The full network or a subnet of it: images to logits.</param>
    /// <param name="views">What <see cref="Prepare"/> returned.</param>
    /// <returns>N×classes, float32, for every view.</returns>
    IReadOnlyList<torch.Tensor> Run(Func<torch.Tensor, torch.Tensor> network, IReadOnlyList<torch.Tensor> views) => [.. views.Select(network)];

    /// <summary>The scalar to minimise, float32.</summary>
    /// <param name="logits">What <see cref="Run"/> returned for the full network.</param>
    /// <param name="labels">N class indices (int64), or N×classes probabilities.</param>
    torch.Tensor Loss(IReadOnlyList<torch.Tensor> logits, torch.Tensor labels);
}
