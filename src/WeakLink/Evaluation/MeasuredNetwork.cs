using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>What classifies images that are measured: a network frozen (see <see cref="FrozenNetwork"/>), or as it is where it can't be or is not to be.</summary>
internal sealed class MeasuredNetwork : IDisposable
{
    // Of as many images of those that are measured one may be taken for something else than in float32.
    private const int Images = 1000;

    private readonly FrozenNetwork? _frozen;
    private readonly Func<torch.Tensor, torch.Tensor> _asItIs;

    private MeasuredNetwork(FrozenNetwork? frozen, Func<torch.Tensor, torch.Tensor> asItIs) => (_frozen, _asItIs) = (frozen, asItIs);

    /// <summary>Makes a network ready, in evaluation mode.</summary>
    /// <param name="network">The network, whose weights must stay as they are meanwhile.</param>
    /// <param name="format">How it is frozen; null: it is not.</param>
    /// <param name="height">Height of the images.</param>
    /// <param name="width">Width of the images.</param>
    /// <param name="subnet">The subnet; null: the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    public static MeasuredNetwork Of(
        torch.nn.Module<torch.Tensor, torch.Tensor> network, ComputeFormat? format, int height, int width, Subnet? subnet = null, SubnetStatistics? statistics = null)
    {
        network.eval();
        return network is ClassifierNetwork classifier
            ? new(format is null ? null : FrozenNetwork.Of(classifier, format, height, width, subnet, statistics), images => classifier.forward(images, subnet, statistics))
            : new(null, network.call);
    }

    /// <summary>The format that is fastest for measuring a network on this machine, as a timing chose that is kept.</summary>
    /// <param name="network">The network.</param>
    /// <param name="height">Height of the images.</param>
    /// <param name="width">Width of the images.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="images">The first of the images that are measured, N×3×H×W in [0, 1], batch by batch: bfloat16 is not chosen unless it takes all but 1 in 1,000 for what float32 takes them for; null: it is not chosen.</param>
    /// <returns>Null where the network can't be frozen.</returns>
    public static ComputeFormat? Format(torch.nn.Module<torch.Tensor, torch.Tensor> network, int height, int width, torch.Device device, Func<IEnumerable<torch.Tensor>>? images)
    {
        if (network is not ClassifierNetwork classifier)
        {
            return null;
        }

        var environment = EnvironmentReport.Create();
        ComputeFormat? Fastest(params Precision[] precisions) => FormatChoice.OfFrozen(FormatChoice.Folder, environment, classifier, precisions, height, width, device);
        var chosen = images is not null && (environment.NativeBf16 || device.type == DeviceType.CUDA) ? Fastest(Precision.Fp32, Precision.Bf16) : Fastest(Precision.Fp32);
        // A network that is set to bfloat16, as in training, is measured in it without a proof.
        return chosen is not { Precision: Precision.Bf16 } || classifier.Format.Precision == Precision.Bf16 || Agrees(classifier, chosen, height, width, images!()) ? chosen : Fastest(Precision.Fp32);
    }

    /// <summary>Classifies.</summary>
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <returns>Logits, N×classes.</returns>
    public torch.Tensor Classify(torch.Tensor images) => _frozen is null ? _asItIs(images) : _frozen.Classify(images);

    /// <inheritdoc/>
    public void Dispose() => _frozen?.Dispose();

    private static bool Agrees(ClassifierNetwork network, ComputeFormat format, int height, int width, IEnumerable<torch.Tensor> images)
    {
        using var noGradients = torch.no_grad();
        var (seen, others) = (0L, 0L);
        using var frozen = Of(network, format, height, width);
        using var exact = Of(network, format with { Precision = Precision.Fp32 }, height, width);
        foreach (var batch in images)
        {
            using var scope = torch.NewDisposeScope();
            others += exact.Classify(batch).argmax(1).ne(frozen.Classify(batch).argmax(1)).sum().ReadInt64();
            seen += batch.shape[0];
            if (seen >= Images)
            {
                break;
            }
        }

        return others * Images <= seen;
    }
}
