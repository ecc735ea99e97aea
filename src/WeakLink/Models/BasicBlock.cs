using TorchSharp;

namespace WeakLink.Models;

/// <summary>Two 3x3 convolutions (He et al. 2016, "Deep Residual Learning"). Parameters are named as in torchvision.</summary>
internal sealed class BasicBlock : ResidualBlock
{
    private readonly Convolution _conv1;
    private readonly BatchNorm _bn1;
    private readonly Convolution _conv2;
    private readonly BatchNorm _bn2;
    private readonly Projection? _downsample;

    public BasicBlock(string name, int from, int to, int stride, torch.Generator generator)
        : base(nameof(BasicBlock), name, to)
    {
        _conv1 = new Convolution(from, to, 3, stride, generator);
        _bn1 = new BatchNorm(to);
        _conv2 = new Convolution(to, to, 3, 1, generator);
        _bn2 = new BatchNorm(to);
        register_module("conv1", _conv1);
        register_module("bn1", _bn1);
        register_module("conv2", _conv2);
        register_module("bn2", _bn2);
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
        var residual = _bn2.Run(_conv2.Run(inner, pass, inputs: kept), pass);
        return pass.Relu(Sum(residual, paths.Shortcut ? Shortcut() : null, pass));
    }
}
