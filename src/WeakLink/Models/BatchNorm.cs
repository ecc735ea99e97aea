using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Models;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy 2015) of all channels, or of those that a subnet keeps. Only the full network's training
/// passes move the running averages.
/// </summary>
internal sealed class BatchNorm : torch.nn.Module
{
    // PyTorch's defaults, which all the published models use.
    private const double Momentum = 0.1;
    private const double Epsilon = 1e-5;

    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly torch.Tensor _mean;
    private readonly torch.Tensor _variance;
    private readonly torch.Tensor _batches;

    public BatchNorm(int channels)
        : base(nameof(BatchNorm))
    {
        _weight = new Parameter(torch.ones(channels));
        _bias = new Parameter(torch.zeros(channels));
        _mean = torch.zeros(channels);
        _variance = torch.ones(channels);
        _batches = torch.zeros([], torch.int64);
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
        register_buffer("running_mean", _mean);
        register_buffer("running_var", _variance);
        register_buffer("num_batches_tracked", _batches);
    }

    // Buffers are replaced when a module moves to another device: the fields would be the old ones.
    private torch.Tensor Mean => get_buffer("running_mean")!;

    private torch.Tensor Variance => get_buffer("running_var")!;

    /// <param name="images">N×C×H×W, where C is all channels or those of <paramref name="kept"/>.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="kept">Channels that <paramref name="images"/> holds; null: all.</param>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass, torch.Tensor? kept = null)
    {
        if (!pass.IsSubnet)
        {
            if (training)
            {
                get_buffer("num_batches_tracked")!.add_(1);
            }

            return torch.nn.functional.batch_norm(images, Mean, Variance, _weight, _bias, training, Momentum, Epsilon);
        }

        var (weight, bias) = (Kept(_weight, kept), Kept(_bias, kept));
        if (pass.Statistics is { } statistics)
        {
            var (mean, variance) = statistics.Layer(this, images.shape[1], images.device);
            return torch.nn.functional.batch_norm(images, mean, variance, weight, bias, training, training ? statistics.Momentum : Momentum, Epsilon);
        }

        return training
            ? torch.nn.functional.batch_norm(images, null, null, weight, bias, training: true, Momentum, Epsilon)
            : torch.nn.functional.batch_norm(images, Kept(Mean, kept), Kept(Variance, kept), weight, bias, training: false, Momentum, Epsilon);
    }

    private static torch.Tensor Kept(torch.Tensor values, torch.Tensor? kept) => kept is null ? values : values.index_select(0, kept);
}
