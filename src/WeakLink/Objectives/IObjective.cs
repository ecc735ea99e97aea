using TorchSharp;

namespace WeakLink.Objectives;

/// <summary>
/// What a training step minimises on the full network. With EWS the same inputs and the logits found here then teach a subnet.
/// </summary>
public interface IObjective
{
    /// <summary>
    /// Turns the batch into the inputs to train on: the batch itself, several augmented views of it, or adversarial examples.
    /// </summary>
    /// <param name="model">The network, in training mode.</param>
    /// <param name="images">VN×3×H×W in [0, 1], in the number format and layout of the run; V is 1 but for objectives that compare V views of an image.</param>
    /// <param name="labels">N class indices (int64), or N×classes probabilities.</param>
    /// <param name="random">The draws of this step.</param>
    /// <returns>One or more inputs of the same shape; the search's reward is measured on the first N images of the first.</returns>
    IReadOnlyList<torch.Tensor> Prepare(torch.nn.Module<torch.Tensor, torch.Tensor> model, torch.Tensor images, torch.Tensor labels, SeededRandom random);

    /// <summary>Runs the full network on the inputs.</summary>
    /// <param name="model">The network, in training mode.</param>
    /// <param name="views">What <see cref="Prepare"/> returned.</param>
    /// <param name="labels">N class indices (int64), or N×classes probabilities.</param>
    ObjectiveOutput Forward(torch.nn.Module<torch.Tensor, torch.Tensor> model, IReadOnlyList<torch.Tensor> views, torch.Tensor labels);
}

/// <summary>What the full network made of a batch.</summary>
/// <param name="Loss">The scalar to minimise, float32.</param>
/// <param name="Logits">N×classes, float32, one for every view: what EWS distils.</param>
public sealed record ObjectiveOutput(torch.Tensor Loss, IReadOnlyList<torch.Tensor> Logits);
