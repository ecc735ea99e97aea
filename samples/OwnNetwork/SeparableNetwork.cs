using TorchSharp;
using WeakLink.Models;
using WeakLink.Subnets;

namespace OwnNetwork;

/// <summary>
/// A small network of separable convolutions: a stem that halves the image, blocks that widen it (1x1), look around in every channel alone (3x3), and narrow it again (1x1), with a
/// shortcut around (the inverted residuals of Sandler et al. 2018). Half of the blocks work at a quarter of the image's size. A subnet keeps some of the wide channels of every block.
/// </summary>
public sealed class SeparableNetwork : ClassifierNetwork
{
    /// <summary>Channels between the blocks.</summary>
    public const int Channels = 16;

    /// <summary>Wide channels of a block for each of those.</summary>
    public const int Expansion = 4;

    /// <summary>By how much the last features are lower and narrower than the image.</summary>
    public const int Reduction = 4;

    private readonly Convolution _stem;
    private readonly BatchNorm _stemNorm;
    private readonly List<Block> _blocks = [];
    private readonly Classifier _head;

    /// <summary>Creates a network with random weights.</summary>
    /// <param name="settings">Classes, normalisation, width and seed.</param>
    /// <param name="blocks">How many blocks.</param>
    public SeparableNetwork(NetworkSettings settings, int blocks)
        : base(settings)
    {
        using var generator = settings.Generator();
        var channels = settings.Scaled(Channels);
        register_module("stem", _stem = new Convolution(3, channels, 3, 2, generator));
        register_module("stem_norm", _stemNorm = new BatchNorm(channels));
        for (var i = 0; i < blocks; i++)
        {
            _blocks.Add(new Block($"blocks.{i}", channels, stride: i == blocks / 2 ? 2 : 1, generator));
        }

        register_module("blocks", new LayerList(_blocks));
        register_module("head", _head = new Classifier(channels, settings.Classes, generator));
        Space = new SubnetSpace([.. _blocks.Select(block => block.Choice)]);
    }

    /// <inheritdoc/>
    public override SubnetSpace Space { get; }

    /// <inheritdoc/>
    protected override torch.Tensor Run(torch.Tensor images, ForwardPass pass)
    {
        var x = pass.Relu(_stemNorm.Run(_stem.Run(images, pass), pass));
        foreach (var block in _blocks)
        {
            x = block.Run(x, pass);
        }

        return _head.Run(x, pass);
    }

    private sealed class Block : Layer
    {
        private readonly Convolution _widen, _depthwise, _narrow;
        private readonly BatchNorm _wideNorm, _depthwiseNorm, _narrowNorm;
        private readonly bool _hasShortcut;

        public Block(string name, int channels, int stride, torch.Generator generator)
            : base(nameof(Block))
        {
            var wide = channels * Expansion;
            _hasShortcut = stride == 1;
            Choice = new Choice($"{name}.channels", wide);
            register_module("widen", _widen = new Convolution(channels, wide, 1, 1, generator));
            register_module("widen_norm", _wideNorm = new BatchNorm(wide));
            register_module("depthwise", _depthwise = Convolution.Depthwise(wide, 3, stride, generator));
            register_module("depthwise_norm", _depthwiseNorm = new BatchNorm(wide));
            register_module("narrow", _narrow = new Convolution(wide, channels, 1, 1, generator));
            register_module("narrow_norm", _narrowNorm = new BatchNorm(channels));
        }

        public Choice Choice { get; }

        // The wide channels that a subnet leaves out are neither computed, nor looked around in, nor read.
        public torch.Tensor Run(torch.Tensor images, ForwardPass pass)
        {
            using var scope = torch.NewDisposeScope();
            var kept = pass.Kept(Choice, images.device);
            var wide = pass.Relu(_wideNorm.Run(_widen.Run(images, pass, filters: kept), pass, kept));
            wide = pass.Relu(_depthwiseNorm.Run(_depthwise.Run(wide, pass, filters: kept), pass, kept));
            var narrow = _narrowNorm.Run(_narrow.Run(wide, pass, inputs: kept), pass);
            return (_hasShortcut ? pass.Add(narrow, images) : narrow).MoveToOuterDisposeScope();
        }
    }
}
