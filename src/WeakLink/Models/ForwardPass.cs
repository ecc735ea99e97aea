using TorchSharp;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// What every layer of one forward pass must know, and the operations between layers, in a form that can be counted and traced: a network that is made of
/// <see cref="Layer"/>s and of these can be exported.
/// </summary>
public sealed record ForwardPass
{
    /// <summary>What the network chooses.</summary>
    public required SubnetSpace Space { get; init; }

    /// <summary>What is kept; null: everything.</summary>
    public Subnet? Subnet { get; init; }

    /// <summary>Where a subnet's batch-norm statistics go (training mode) or come from (evaluation mode); null: the batch's, or the running averages.</summary>
    public SubnetStatistics? Statistics { get; init; }

    /// <summary>Where the full network's batch norms have their statistics from, of the images themselves; null: as they are trained.</summary>
    public TestTimeStatistics? TestTime { get; init; }

    /// <summary>Numbers that the items of every choice are multiplied with, in the space's order; null: none.</summary>
    public IReadOnlyList<torch.Tensor>? Gates { get; init; }

    /// <summary>The processes over whose images together batch norms take a training batch's statistics; null: over those of this one.</summary>
    public ProcessGroup? Synchronised { get; init; }

    /// <summary>Whether layers that drop units at random do so: where the network learns from this pass.</summary>
    public bool Dropout { get; init; }

    /// <summary>Whether batch norms leave the running averages alone: where a subnet or gates run, or the statistics go elsewhere.</summary>
    public bool LeavesAverages => Subnet is not null || Gates is not null || Statistics is not null;

    /// <summary>Counts multiply-adds; null counts nothing.</summary>
    internal OperationCount? Operations { get; init; }

    /// <summary>Writes down every operation; null writes nothing.</summary>
    internal ForwardTrace? Trace { get; init; }

    /// <summary>The channels that are kept of a choice; null: all, as they are.</summary>
    /// <param name="choice">A choice of the network's space.</param>
    /// <param name="device">Where the network lives.</param>
    public KeptChannels? Kept(Choice choice, torch.Device device)
    {
        var place = Space.PlaceOf(choice);
        var (kept, gates) = (Subnet?.Kept[place], Gates?[place]);
        return (kept is null || kept.Count == choice.Items) && gates is null ? null : new KeptChannels(kept, device, fill: Trace is not { Fills: false } && Operations is null, gates);
    }

    /// <summary>Whether an item of a choice is kept.</summary>
    public bool Keeps(Choice choice, int item) => Subnet?.Kept[Space.PlaceOf(choice)].Contains(item) ?? true;

    /// <summary>What comes out of an item of a choice, times its gate where there are gates.</summary>
    public torch.Tensor Gated(torch.Tensor images, Choice choice, int item) =>
        Gates is null ? images : images * Gates[Space.PlaceOf(choice)].narrow(0, item, 1).to(images.dtype);

    /// <summary>The positive part, by default in the memory of <paramref name="images"/>.</summary>
    public torch.Tensor Relu(torch.Tensor images, bool inPlace = true)
    {
        var result = inPlace ? images.relu_() : images.relu();
        Traced("Relu", result, [images]);
        return result;
    }

    /// <summary>The sum of two, in the memory of the first.</summary>
    public torch.Tensor Add(torch.Tensor images, torch.Tensor others)
    {
        var result = images.add_(others, KeptScalars.Kept(1));
        Traced("Add", result, [images, others]);
        return result;
    }

    /// <summary>The same values as a tensor of its own.</summary>
    public torch.Tensor Alias(torch.Tensor images)
    {
        var result = images.alias();
        Trace?.Alias(result, images);
        return result;
    }

    /// <summary>Counts what an operation computes.</summary>
    /// <param name="multiplyAdds">Multiply-adds for one image.</param>
    public void Counted(long multiplyAdds) => Operations?.Add(multiplyAdds);

    /// <summary>
    /// Writes down an operation, so that a network that computes it can be exported: every one between the normalised images and the logits has to be, by the layer or
    /// by the methods above.
    /// </summary>
    /// <param name="operation">The ONNX operator (opset 17) that does the same, such as Relu.</param>
    /// <param name="result">What it gave.</param>
    /// <param name="inputs">What it took, in the operator's order.</param>
    /// <param name="layer">Whose parameters it uses; null: none.</param>
    /// <param name="parameters">The operator's further inputs, in its order, by their names within the layer.</param>
    /// <param name="attributes">The operator's attributes: a long, a float, or an array of long.</param>
    public void Traced(
        string operation,
        torch.Tensor result,
        torch.Tensor[] inputs,
        Layer? layer = null,
        (string Name, torch.Tensor Value)[]? parameters = null,
        (string Name, object Value)[]? attributes = null) => Trace?.Add(operation, result, inputs, layer, parameters ?? [], attributes ?? []);
}

/// <summary>Multiply-adds of convolutions and the classifier in a forward pass.</summary>
internal sealed class OperationCount
{
    public long MultiplyAdds { get; private set; }

    public void Add(long count) => MultiplyAdds += count;
}
