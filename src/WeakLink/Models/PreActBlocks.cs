using TorchSharp;

namespace WeakLink.Models;

/// <summary>
/// Blocks with normalisation and ReLU before each convolution (He et al. 2016, "Identity Mappings"). A shortcut that changes the
/// shape is a bare 1x1 convolution of the first activation. Parameters are named as in RobustBench.
/// </summary>
internal abstract class PreActBase : ResidualBlock
{
    private readonly BatchNorm _bn1;
    private readonly Convolution? _shortcut;

    protected PreActBase(string kind, string name, int from, int inner, int to, int stride, torch.Generator generator)
        : base(kind, name, inner)
    {
        _bn1 = new BatchNorm(from);
        register_module("bn1", _bn1);
        if (stride != 1 || from != to)
        {
            _shortcut = new Convolution(from, to, 1, stride, generator);
            register_module("shortcut", new NamedZero(_shortcut));
        }
    }

    protected override torch.Tensor Run(torch.Tensor images, Paths paths, KeptChannels? kept, ForwardPass pass)
    {
        var activation = paths.Residual || _shortcut is not null ? pass.Relu(_bn1.Run(images, pass)) : images;
        torch.Tensor Shortcut() => _shortcut?.Run(activation, pass) ?? images;
        if (!paths.Residual)
        {
            // An identity shortcut alone: a result of its own, because the caller disposes of its input.
            return _shortcut is null ? pass.Alias(images) : Shortcut();
        }

        var residual = Residual(activation, kept, pass);
        return Sum(residual, paths.Shortcut ? Shortcut() : null, pass);
    }

    protected abstract torch.Tensor Residual(torch.Tensor activation, KeptChannels? kept, ForwardPass pass);

    // The published model keeps the convolution in a sequence: shortcut.0.weight.
    private sealed class NamedZero : Layer
    {
        public NamedZero(Convolution convolution)
            : base(nameof(NamedZero)) => register_module("0", convolution);
    }
}

/// <summary>Two 3x3 convolutions.</summary>
internal sealed class PreActBlock : PreActBase
{
    private readonly Convolution _conv1;
    private readonly BatchNorm _bn2;
    private readonly Convolution _conv2;

    public PreActBlock(string name, int from, int to, int stride, torch.Generator generator)
        : base(nameof(PreActBlock), name, from, to, to, stride, generator)
    {
        _conv1 = new Convolution(from, to, 3, stride, generator);
        _bn2 = new BatchNorm(to);
        _conv2 = new Convolution(to, to, 3, 1, generator);
        register_module("conv1", _conv1);
        register_module("bn2", _bn2);
        register_module("conv2", _conv2);
    }

    protected override torch.Tensor Residual(torch.Tensor activation, KeptChannels? kept, ForwardPass pass)
    {
        var inner = pass.Relu(_bn2.Run(_conv1.Run(activation, pass, filters: kept), pass, kept));
        return _conv2.Run(inner, pass, inputs: kept);
    }
}

/// <summary>1x1, 3x3 and 1x1 convolutions.</summary>
internal sealed class PreActBottleneck : PreActBase
{
    private readonly Convolution _conv1;
    private readonly BatchNorm _bn2;
    private readonly Convolution _conv2;
    private readonly BatchNorm _bn3;
    private readonly Convolution _conv3;

    public PreActBottleneck(string name, int from, int inner, int stride, torch.Generator generator)
        : base(nameof(PreActBottleneck), name, from, inner, inner * Bottleneck.Expansion, stride, generator)
    {
        _conv1 = new Convolution(from, inner, 1, 1, generator);
        _bn2 = new BatchNorm(inner);
        _conv2 = new Convolution(inner, inner, 3, stride, generator);
        _bn3 = new BatchNorm(inner);
        _conv3 = new Convolution(inner, inner * Bottleneck.Expansion, 1, 1, generator);
        register_module("conv1", _conv1);
        register_module("bn2", _bn2);
        register_module("conv2", _conv2);
        register_module("bn3", _bn3);
        register_module("conv3", _conv3);
    }

    protected override torch.Tensor Residual(torch.Tensor activation, KeptChannels? kept, ForwardPass pass)
    {
        var inner = pass.Relu(_bn2.Run(_conv1.Run(activation, pass, filters: kept), pass, kept));
        inner = pass.Relu(_bn3.Run(_conv2.Run(inner, pass, inputs: kept), pass));
        return _conv3.Run(inner, pass);
    }
}
