using TorchSharp;

namespace WeakLink.Models;

/// <summary>A shortcut that changes the shape: 1x1 convolution and batch norm, under the names 0 and 1.</summary>
internal sealed class Projection : Layer
{
    private readonly Convolution _convolution;
    private readonly BatchNorm _norm;

    public Projection(int from, int to, int stride, torch.Generator generator)
        : base(nameof(Projection))
    {
        _convolution = new Convolution(from, to, 1, stride, generator);
        _norm = new BatchNorm(to);
        register_module("0", _convolution);
        register_module("1", _norm);
    }

    public torch.Tensor Run(torch.Tensor images, ForwardPass pass) => _norm.Run(_convolution.Run(images, pass), pass);
}
