using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Processes;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy 2015) of all channels, or of those that a subnet keeps. Only the full network's training
/// passes move the running averages. Its tensors have PyTorch's names: <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c>, <c>num_batches_tracked</c>.
/// </summary>
public sealed class BatchNorm : Layer
{
    /// <summary>Added to the variance: PyTorch's default, which all the published models use.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>The buffer that counts training batches.</summary>
    public const string Batches = "num_batches_tracked";

    // PyTorch's default too.
    private const double Momentum = 0.1;

    /// <summary>Scales of 1, shifts of 0.</summary>
    public BatchNorm(int channels)
        : base(nameof(BatchNorm))
    {
        register_parameter("weight", new Parameter(torch.ones(channels)));
        register_parameter("bias", new Parameter(torch.zeros(channels)));
        register_buffer("running_mean", torch.zeros(channels));
        register_buffer("running_var", torch.ones(channels));
        register_buffer(Batches, torch.zeros([], torch.int64));
    }

    /// <summary>Whether training passes of the full network normalise by the running averages, and leave them as they are.</summary>
    internal bool KeepsAverages { get; set; }

    /// <summary>Normalises.</summary>
    /// <param name="images">N×C×H×W, where C is all channels or those of <paramref name="kept"/>.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="kept">Channels that <paramref name="images"/> holds; null: all.</param>
    /// <exception cref="InputException">In training mode: there is one value for each channel, which has no variance.</exception>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass, KeptChannels? kept = null)
    {
        var shape = images.shape;
        if (shape[0] * shape[2] * shape[3] > 1)
        {
            Prove(LayerKind.BatchNorm, images, shape[1]);
        }

        var (scale, shift) = (Parameter("weight"), Parameter("bias"));
        var (mean, variance) = (Buffer("running_mean"), Buffer("running_var"));
        if (training && images.numel() == images.shape[1] && pass.Synchronised is null)
        {
            throw new InputException("Batch norm can't be trained on one value for each channel, which has no variance: use batches of at least two images, or larger images.");
        }

        if (pass.TestTime is { } testTime)
        {
            var (newest, width) = testTime.Layer(this, images, mean, variance);
            return torch.nn.functional.batch_norm(images, newest, width, scale, shift, training: false, Momentum, Epsilon);
        }

        if (!pass.LeavesAverages)
        {
            var learns = training && !KeepsAverages;
            if (learns)
            {
                Buffer(Batches).add_(Kept(1), Kept(1));
                if (pass.Synchronised is { } processes)
                {
                    return OverAll(images, scale, shift, processes, (mean, variance));
                }
            }

            return Traced(pass, images, mean, variance, scale, shift, torch.nn.functional.batch_norm(images, mean, variance, scale, shift, learns, Momentum, Epsilon));
        }

        var (keptScale, keptShift) = (Part(scale, kept), Part(shift, kept));
        if (pass.Statistics is { } statistics)
        {
            var (own, spread) = statistics.Layer(this, images.shape[1], images.device);
            return Traced(
                pass,
                images,
                own,
                spread,
                keptScale,
                keptShift,
                torch.nn.functional.batch_norm(images, own, spread, keptScale, keptShift, training, training ? statistics.Momentum : Momentum, Epsilon));
        }

        if (training)
        {
            if (pass.Synchronised is { } processes)
            {
                return OverAll(images, keptScale, keptShift, processes, null);
            }

            return torch.nn.functional.batch_norm(images, null, null, keptScale, keptShift, training: true, Momentum, Epsilon);
        }

        var (keptMean, keptVariance) = (Part(mean, kept), Part(variance, kept));
        return Traced(
            pass, images, keptMean, keptVariance, keptScale, keptShift, torch.nn.functional.batch_norm(images, keptMean, keptVariance, keptScale, keptShift, training: false, Momentum, Epsilon));
    }

    // By the statistics of all processes' images, as torch.nn.SyncBatchNorm does. In float64 from each one's moments: squares that nearly cancel would cost float32 its digits.
    private static torch.Tensor OverAll(torch.Tensor images, torch.Tensor scale, torch.Tensor shift, ProcessGroup processes, (torch.Tensor Mean, torch.Tensor Variance)? averages)
    {
        var (channels, values) = (images.shape[1], images.to(torch.float32));
        var own = (double)images.numel() / channels;
        var (spread, centre) = torch.var_mean(values, [0, 2, 3], unbiased: false);
        (spread, centre) = (spread.to(torch.float64), centre.to(torch.float64));
        var count = torch.ones(1, torch.float64, images.device) * Kept(own);
        var moments = torch.cat([centre * Kept(own), spread.Plus(centre.Squared()) * Kept(own), count]);
        var parts = DifferentiableSum.Of(moments, processes).split([channels, channels, 1]);
        var mean = parts[0] / parts[2];
        var variance = (parts[1] / parts[2]) - mean.Squared();
        if (averages is { } kept)
        {
            using var noGradients = torch.no_grad();
            var all = parts[2].detach().ReadDouble();
            kept.Mean.mul_(Kept(1 - Momentum)).add_(mean.detach().to(torch.float32), Kept(Momentum));
            kept.Variance.mul_(Kept(1 - Momentum)).add_(variance.detach().to(torch.float32), Kept(Momentum * all / (all - 1)));
        }

        var factor = scale / variance.Plus(Epsilon).sqrt().to(torch.float32);
        var offset = shift - (mean.to(torch.float32) * factor);
        return (values * factor.view(1, channels, 1, 1)).Plus(offset.view(1, channels, 1, 1)).to(images.dtype);
    }

    private torch.Tensor Traced(ForwardPass pass, torch.Tensor images, torch.Tensor mean, torch.Tensor variance, torch.Tensor scale, torch.Tensor shift, torch.Tensor result)
    {
        if (pass.Trace is not null)
        {
            pass.Traced("BatchNormalization", result, [images], this, [("weight", scale), ("bias", shift), ("running_mean", mean), ("running_var", variance)], [("epsilon", (float)Epsilon)]);
        }

        return result;
    }

    private static torch.Tensor Part(torch.Tensor values, KeptChannels? kept) => kept is null ? values : kept.Of(values);
}
