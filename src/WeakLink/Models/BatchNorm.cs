using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Models;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy 2015) of all channels, or of those that a subnet keeps. Only the full network's training
/// passes move the running averages.
/// </summary>
internal sealed class BatchNorm : Layer
{
    // PyTorch's defaults, which all the published models use.
    private const double Momentum = 0.1;
    private const double Epsilon = 1e-5;

    public BatchNorm(int channels)
        : base(nameof(BatchNorm))
    {
        register_parameter("weight", new Parameter(torch.ones(channels)));
        register_parameter("bias", new Parameter(torch.zeros(channels)));
        register_buffer("running_mean", torch.zeros(channels));
        register_buffer("running_var", torch.ones(channels));
        register_buffer("num_batches_tracked", torch.zeros([], torch.int64));
    }

    /// <param name="images">N×C×H×W, where C is all channels or those of <paramref name="kept"/>.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="kept">Channels that <paramref name="images"/> holds; null: all.</param>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass, KeptChannels? kept = null)
    {
        var (scale, shift) = (Parameter("weight"), Parameter("bias"));
        var (mean, variance) = (Buffer("running_mean"), Buffer("running_var"));
        if (!pass.IsSubnet)
        {
            if (training)
            {
                Buffer("num_batches_tracked").add_(1);
            }

            return torch.nn.functional.batch_norm(images, mean, variance, scale, shift, training, Momentum, Epsilon);
        }

        var (keptScale, keptShift) = (Kept(scale, kept), Kept(shift, kept));
        if (pass.Statistics is { } statistics)
        {
            var (own, spread) = statistics.Layer(this, images.shape[1], images.device);
            return torch.nn.functional.batch_norm(images, own, spread, keptScale, keptShift, training, training ? statistics.Momentum : Momentum, Epsilon);
        }

        return training
            ? torch.nn.functional.batch_norm(images, null, null, keptScale, keptShift, training: true, Momentum, Epsilon)
            : torch.nn.functional.batch_norm(images, Kept(mean, kept), Kept(variance, kept), keptScale, keptShift, training: false, Momentum, Epsilon);
    }

    private static torch.Tensor Kept(torch.Tensor values, KeptChannels? kept) => kept is null ? values : kept.Of(values);
}
