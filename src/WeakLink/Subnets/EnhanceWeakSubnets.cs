using TorchSharp;

namespace WeakLink.Subnets;

/// <summary>
/// The paper's idea (Guo, Stutz and Schiele, "Improving Robustness by Enhancing Weak Subnets", ECCV 2022): a network is as
/// robust as its weak subnets, so find subnets that do badly and let the full network teach them, at every training step.
/// </summary>
/// <param name="network">The network whose subnets are taught.</param>
/// <param name="search">Proposes the subnet to teach, and learns which ones are weak.</param>
/// <param name="distillation">How the full network teaches.</param>
public sealed class EnhanceWeakSubnets(ISubnetNetwork network, ISubnetSearch search, Distillation distillation)
{
    /// <summary>The search, for its checkpoint.</summary>
    public ISubnetSearch Search => search;

    /// <summary>Adds to the gradients those of λ · KL(teacher ‖ α), for one proposed subnet α.</summary>
    /// <param name="views">The inputs that the full network saw.</param>
    /// <param name="teacher">The full network's logits for each of them, detached.</param>
    /// <param name="labels">N class indices, int64, of the first N images of the first input.</param>
    /// <param name="random">The draws of this step's proposal.</param>
    public Lesson TeachSubnet(IReadOnlyList<torch.Tensor> views, IReadOnlyList<torch.Tensor> teacher, torch.Tensor labels, SeededRandom random)
    {
        using var scope = torch.NewDisposeScope();
        var subnet = search.Propose(random);
        var (loss, logits) = distillation.Loss(network, views, teacher, subnet);
        loss.backward();
        return new Lesson(
            distillation.Weight == 0 ? 0 : loss.ReadDouble() / distillation.Weight,
            logits.narrow(0, 0, labels.shape[0]).argmax(1).eq(labels).to(torch.float32).mean().ReadDouble());
    }

    /// <summary>Lets the search learn how the subnet that it proposed did.</summary>
    /// <param name="lesson">What <see cref="TeachSubnet"/> gave.</param>
    /// <param name="step">The training step, from 0.</param>
    /// <param name="random">Random numbers that start where the proposal's did.</param>
    public void ImproveSearch(Lesson lesson, long step, SeededRandom random) => search.Learn(step, random, lesson.Accuracy);
}

/// <summary>How one subnet was taught.</summary>
/// <param name="Divergence">KL(teacher ‖ subnet) in nats, without λ.</param>
/// <param name="Accuracy">The subnet's accuracy on the batch before the step, as the objective perturbed it.</param>
public readonly record struct Lesson(double Divergence, double Accuracy);
