using TorchSharp;
using WeakLink.Data;
using WeakLink.Processes;

namespace WeakLink.Subnets;

/// <summary>
/// The paper's idea (Guo, Stutz and Schiele, "Improving Robustness by Enhancing Weak Subnets", ECCV 2022): a network is as
/// robust as its weak subnets, so find subnets that do badly and let the full network teach them, at every training step.
/// </summary>
/// <param name="network">The network whose subnets are taught.</param>
/// <param name="search">Proposes the subnet to teach, and learns which ones are weak.</param>
/// <param name="distillation">How the full network teaches.</param>
/// <param name="processes">Those that teach the same subnets, each on its share of a batch; null: this one alone.</param>
public sealed class EnhanceWeakSubnets(ISubnetNetwork network, ISubnetSearch search, Distillation distillation, ProcessGroup? processes = null)
{
    /// <summary>The search, for its checkpoint.</summary>
    public ISubnetSearch Search => search;

    /// <summary>Adds to the gradients those of λ · KL(teacher ‖ α), for one proposed subnet α.</summary>
    /// <param name="run">Runs a network on the views as the full network was run on its own.</param>
    /// <param name="views">What the subnet sees: views of the same N images.</param>
    /// <param name="teacher">What it is taught of each of them: the full network's logits, of the same view or a calmer one, detached.</param>
    /// <param name="labels">N class indices, int64.</param>
    /// <param name="step">The training step, from 0.</param>
    /// <param name="random">The draws of this step's proposal.</param>
    /// <param name="ramp">The part of λ that counts in this step, above 0.</param>
    /// <param name="share">Which of the step's images these are; null: all.</param>
    /// <returns>Means over these images, as parts of those over all.</returns>
    public StudentResult TeachSubnet(
        RunOnViews run, IReadOnlyList<torch.Tensor> views, IReadOnlyList<torch.Tensor> teacher, torch.Tensor labels, long step, SeededRandom random, double ramp = 1, BatchShare? share = null)
    {
        using var scope = torch.NewDisposeScope();
        share ??= BatchShare.All(labels.shape[0]);
        var subnet = search.Propose(new SearchContext(random, step, new SearchBatch(network, views[0], labels, teacher[0], share, processes)));
        subnet = processes?.From(subnet) ?? subnet;
        var student = run(images => network.forward(images, subnet), views);
        var divergence = share.PartOf(Distillation.Divergence(teacher, student));
        (distillation with { Weight = ramp * distillation.Weight }).Weighted(divergence, student[0].shape[1]).backward();
        return new StudentResult(
            divergence.ReadDouble(),
            student[0].detach().argmax(1).eq(labels).to(torch.float32).mean().ReadDouble() * share.Weight);
    }

    /// <summary>Lets the search learn how the subnet that it proposed did.</summary>
    /// <param name="student">What <see cref="TeachSubnet"/> gave.</param>
    /// <param name="lesson">How many subnets were taught before; where every step teaches one, the step.</param>
    /// <param name="random">Random numbers that start where the proposal's did.</param>
    public void ImproveSearch(StudentResult student, long lesson, SeededRandom random) => search.Learn(lesson, random, student.Accuracy);
}

/// <summary>Runs a network on views of the same images, together or one after the other, as the objective has it.</summary>
/// <param name="network">Images, N×3×H×W in [0, 1], to logits.</param>
/// <param name="views">N×3×H×W each.</param>
/// <returns>N×classes for every view.</returns>
public delegate IReadOnlyList<torch.Tensor> RunOnViews(Func<torch.Tensor, torch.Tensor> network, IReadOnlyList<torch.Tensor> views);

/// <summary>How the subnet of a step did, before the step.</summary>
/// <param name="Divergence">KL(teacher ‖ student) in nats, without λ.</param>
/// <param name="Accuracy">Its accuracy on the first view.</param>
public readonly record struct StudentResult(double Divergence, double Accuracy);
