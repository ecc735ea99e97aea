using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>
/// A 2-d convolution without bias, padded by half of its kernel, that can compute some of its filters on some of its inputs. Its weights, called <c>weight</c>, are float32 and
/// take the number format of the images.
/// </summary>
public sealed class Convolution : Layer
{
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly bool _depthwise;

    /// <summary>A convolution of every input channel with every filter.</summary>
    /// <param name="from">Input channels.</param>
    /// <param name="to">Filters.</param>
    /// <param name="kernel">Height and width of the kernel, odd.</param>
    /// <param name="stride">Pixels between two results.</param>
    /// <param name="generator">Draws the weights.</param>
    public Convolution(int from, int to, int kernel, int stride, torch.Generator generator)
        : this([to, from, kernel, kernel], kernel, stride, generator)
    {
    }

    /// <summary>A convolution of every channel with a filter of its own. Of a subnet it computes the filters of the channels that are kept.</summary>
    /// <param name="channels">Channels, in and out.</param>
    /// <param name="kernel">Height and width of the kernel, odd.</param>
    /// <param name="stride">Pixels between two results.</param>
    /// <param name="generator">Draws the weights.</param>
    public static Convolution Depthwise(int channels, int kernel, int stride, torch.Generator generator) => new([channels, 1, kernel, kernel], kernel, stride, generator, depthwise: true);

    private Convolution(long[] shape, int kernel, int stride, torch.Generator generator, bool depthwise = false)
        : base(nameof(Convolution))
    {
        // He et al. 2015: normal with variance 2 / fan-out keeps the gradient's variance through ReLUs.
        register_parameter("weight", new Parameter(torch.randn(shape, generator: generator).mul_(Kept(Math.Sqrt(2.0 / ((depthwise ? 1 : shape[0]) * kernel * kernel))))));
        _stride = [stride, stride];
        _padding = [kernel / 2, kernel / 2];
        _depthwise = depthwise;
    }

    /// <summary>Convolves.</summary>
    /// <param name="images">N×C×H×W, where C is all inputs or those of <paramref name="inputs"/>.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="filters">Filters to compute; null: all.</param>
    /// <param name="inputs">Input channels that <paramref name="images"/> holds; null: all. (Depthwise ones hold those of <paramref name="filters"/>.)</param>
    public torch.Tensor Run(torch.Tensor images, ForwardPass pass, KeptChannels? filters = null, KeptChannels? inputs = null)
    {
        torch.Tensor weight = Parameter("weight");
        weight = filters is null ? weight : filters.Of(weight);
        weight = inputs is null ? weight : inputs.OfInputs(weight);
        var result = Convolve(images, weight);
        pass.Operations?.Add(result.shape[2] * result.shape[3] * weight.numel());
        if (pass.Trace is not null)
        {
            pass.Traced("Conv", result, [images], this, [("weight", weight)], [
                ("kernel_shape", weight.shape[2..]),
                ("strides", _stride),
                ("pads", (long[])[.. _padding, .. _padding]),
                .. _depthwise ? [("group", images.shape[1])] : Array.Empty<(string, object)>(),
            ]);
        }

        return result;
    }

    private torch.Tensor Convolve(torch.Tensor images, torch.Tensor weight)
    {
        var (read, stride) = Read(images, weight.shape[2], _stride[0]);
        Prove(_depthwise ? LayerKind.Depthwise : LayerKind.Convolution, read, weight.shape[0], weight.shape[2], stride);
        return torch.nn.functional.conv2d(read, weight.to(images.dtype), null, [stride, stride], _padding, groups: _depthwise ? images.shape[1] : 1);
    }

    /// <summary>The pixels that a kernel reads, and the stride on them.</summary>
    internal static (torch.Tensor Images, long Stride) Read(torch.Tensor images, long kernel, long stride) =>
        // oneDNN 3.7.1 skips pixels wrongly where they have fewer channels than a vector holds (AVX2, channels-last: the weights' gradient is half off, and
        // is written beyond its end), so a 1x1 kernel gets only the pixels that it reads.
        kernel == 1 && stride > 1 ? (images.slice(2, 0, images.shape[2], stride).slice(3, 0, images.shape[3], stride), 1) : (images, stride);
}
