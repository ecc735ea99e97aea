using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// A pre-activation block with optional dropout between its convolutions (Zagoruyko and Komodakis 2016). Parameters are named as
/// in RobustBench.
/// </summary>
internal sealed class WideBlock : ResidualBlock
{
    private readonly BatchNorm _bn1;
    private readonly Convolution _conv1;
    private readonly BatchNorm _bn2;
    private readonly Convolution _conv2;
    private readonly Convolution? _shortcut;
    private readonly double _dropout;

    public WideBlock(string name, int from, int to, int stride, double dropout, torch.Generator generator)
        : base(nameof(WideBlock), name, to)
    {
        _dropout = dropout;
        _bn1 = new BatchNorm(from);
        _conv1 = new Convolution(from, to, 3, stride, generator);
        _bn2 = new BatchNorm(to);
        _conv2 = new Convolution(to, to, 3, 1, generator);
        register_module("bn1", _bn1);
        register_module("conv1", _conv1);
        register_module("bn2", _bn2);
        register_module("conv2", _conv2);
        if (from != to)
        {
            _shortcut = new Convolution(from, to, 1, stride, generator);
            register_module("convShortcut", _shortcut);
        }
    }

    protected override torch.Tensor Run(torch.Tensor images, Paths paths, KeptChannels? kept, ForwardPass pass)
    {
        if (!paths.Residual && _shortcut is null)
        {
            return pass.Alias(images);
        }

        var activation = pass.Relu(_bn1.Run(images, pass));
        torch.Tensor Shortcut() => _shortcut?.Run(activation, pass) ?? images;
        if (!paths.Residual)
        {
            return Shortcut();
        }

        var inner = pass.Relu(_bn2.Run(_conv1.Run(activation, pass, filters: kept), pass, kept));
        if (_dropout > 0 && pass.Dropout)
        {
            inner = torch.nn.functional.dropout(inner, _dropout, training: true);
        }

        var residual = _conv2.Run(inner, pass, inputs: kept);
        return Sum(residual, paths.Shortcut ? Shortcut() : null, pass);
    }
}
