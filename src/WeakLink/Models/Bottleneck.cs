using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// 1x1, 3x3 and 1x1 convolutions, the stride in the 3x3 one as in torchvision (He et al. 2016). Inner channels are those that
/// enter the 3x3 convolution.
/// </summary>
internal sealed class Bottleneck : ResidualBlock
{
    /// <summary>Output channels for each inner one.</summary>
    public const int Expansion = 4;

    private readonly Convolution _conv1;
    private readonly BatchNorm _bn1;
    private readonly Convolution _conv2;
    private readonly BatchNorm _bn2;
    private readonly Convolution _conv3;
    private readonly BatchNorm _bn3;
    private readonly Projection? _downsample;

    public Bottleneck(string name, int from, int inner, int stride, torch.Generator generator)
        : base(nameof(Bottleneck), name, inner)
    {
        var to = inner * Expansion;
        _conv1 = new Convolution(from, inner, 1, 1, generator);
        _bn1 = new BatchNorm(inner);
        _conv2 = new Convolution(inner, inner, 3, stride, generator);
        _bn2 = new BatchNorm(inner);
        _conv3 = new Convolution(inner, to, 1, 1, generator);
        _bn3 = new BatchNorm(to);
        register_module("conv1", _conv1);
        register_module("bn1", _bn1);
        register_module("conv2", _conv2);
        register_module("bn2", _bn2);
        register_module("conv3", _conv3);
        register_module("bn3", _bn3);
        if (stride != 1 || from != to)
        {
            _downsample = new Projection(from, to, stride, generator);
            register_module("downsample", _downsample);
        }
    }

    protected override torch.Tensor Run(torch.Tensor images, Paths paths, KeptChannels? kept, ForwardPass pass)
    {
        torch.Tensor Shortcut() => _downsample?.Run(images, pass) ?? images;
        if (!paths.Residual)
        {
            return pass.Relu(Shortcut(), inPlace: false);
        }

        var inner = pass.Relu(_bn1.Run(_conv1.Run(images, pass, filters: kept), pass, kept));
        inner = pass.Relu(_bn2.Run(_conv2.Run(inner, pass, inputs: kept), pass));
        var residual = _bn3.Run(_conv3.Run(inner, pass), pass);
        return pass.Relu(Sum(residual, paths.Shortcut ? Shortcut() : null, pass));
    }
}
