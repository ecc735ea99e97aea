using TorchSharp;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>A stem, residual blocks, a linear classifier.</summary>
internal sealed class ResidualNetwork : ClassifierNetwork
{
    private readonly NetworkPlan _plan;
    private readonly Convolution _stem;
    private readonly BatchNorm? _stemNorm;
    private readonly List<ResidualBlock> _blocks = [];
    private readonly BatchNorm? _finalNorm;
    private readonly Classifier _classifier;

    public ResidualNetwork(NetworkPlan plan, NetworkSettings settings)
        : base(settings)
    {
        using var generator = settings.Generator();
        _plan = plan;
        register_module("conv1", _stem = new Convolution(3, plan.StemChannels, plan.StemKernel, plan.StemStride, generator));
        if (plan.StemNorm)
        {
            register_module("bn1", _stemNorm = new BatchNorm(plan.StemChannels));
        }

        foreach (var (stage, creators) in plan.Stages)
        {
            var blocks = creators.Select((create, number) => create($"{stage}.{number}", generator)).ToList();
            _blocks.AddRange(blocks);
            Register(stage.Split('.'), new LayerList(blocks));
        }

        if (plan.FinalNorm is { } finalNorm)
        {
            register_module(finalNorm, _finalNorm = new BatchNorm(plan.Features));
        }

        register_module(plan.ClassifierName, _classifier = new Classifier(plan.Features, settings.Classes, generator));
        Space = new SubnetSpace([.. _blocks.SelectMany(block => block.Choices)]);
    }

    public override SubnetSpace Space { get; }

    protected internal override torch.Tensor Run(torch.Tensor images, ForwardPass pass)
    {
        var x = Stem(images, pass);
        foreach (var block in _blocks)
        {
            x = block.Run(x, pass);
        }

        x = _finalNorm is null ? x : pass.Relu(_finalNorm.Run(x, pass));
        return _classifier.Run(x, pass);
    }

    private torch.Tensor Stem(torch.Tensor images, ForwardPass pass)
    {
        using var scope = torch.NewDisposeScope();
        var x = _stem.Run(images, pass);
        x = _stemNorm is null ? x : pass.Relu(_stemNorm.Run(x, pass));
        return (_plan.StemPool ? Pool(x, pass) : x).MoveToOuterDisposeScope();
    }

    private static torch.Tensor Pool(torch.Tensor images, ForwardPass pass)
    {
        var result = torch.nn.functional.max_pool2d(images, 3, 2, 1);
        pass.Traced("MaxPool", result, [images], attributes: [("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 })]);
        return result;
    }

    // Blocks under names such as layer1.0 (torchvision) or block1.layer.0 (WideResNet).
    private void Register(string[] path, Layer blocks)
    {
        var layer = path.Skip(1).Reverse().Aggregate(blocks, (inner, name) => new Named(name, inner));
        register_module(path[0], layer);
    }

    private sealed class Named : Layer
    {
        public Named(string name, Layer layer)
            : base(name) => register_module(name, layer);
    }
}
