using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// A 2-d convolution without bias that can compute some of its filters on some of its inputs. Weights are float32 and take the
/// number format of the images.
/// </summary>
internal sealed class Convolution : Layer
{
    private static readonly long[] Dense = [1, 1];

    private readonly long[] _stride;
    private readonly long[] _padding;

    public Convolution(int from, int to, int kernel, int stride, torch.Generator generator)
        : base(nameof(Convolution))
    {
        // He et al. 2015: normal with variance 2 / fan-out keeps the gradient's variance through ReLUs.
        register_parameter("weight", new Parameter(torch.randn([to, from, kernel, kernel], generator: generator).mul_(Kept(Math.Sqrt(2.0 / (to * kernel * kernel))))));
        _stride = [stride, stride];
        _padding = [kernel / 2, kernel / 2];
    }

    /// <param name="images">N×C×H×W, where C is all inputs or those of <paramref name="inputs"/>.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="filters">Filters to compute; null: all.</param>
    /// <param name="inputs">Input channels that <paramref name="images"/> holds; null: all.</param>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass, KeptChannels? filters = null, KeptChannels? inputs = null)
    {
        torch.Tensor weight = Parameter("weight");
        weight = filters is null ? weight : filters.Of(weight);
        weight = inputs is null ? weight : inputs.Of(weight, 1);
        var result = Convolve(images, weight);
        pass.Operations?.Add(result.shape[2] * result.shape[3] * weight.numel());
        pass.Trace?.Add(TracedKind.Convolution, result, [images], this, [("weight", weight)], _stride[0]);
        return result;
    }

    private torch.Tensor Convolve(torch.Tensor images, torch.Tensor weight)
    {
        // oneDNN 3.7.1 skips pixels wrongly where they have fewer channels than a vector holds (AVX2, channels-last: the weights' gradient is half off, and
        // is written beyond its end), so a 1x1 kernel gets only the pixels that it reads.
        var skips = _padding[0] == 0 && _stride[0] > 1;
        var read = skips ? images.slice(2, 0, images.shape[2], _stride[0]).slice(3, 0, images.shape[3], _stride[1]) : images;
        var stride = skips ? Dense : _stride;
        Prove(LayerKind.Convolution, read, weight.shape[0], weight.shape[2], stride[0]);
        return torch.nn.functional.conv2d(read, weight.to(images.dtype), null, stride, _padding);
    }
}
