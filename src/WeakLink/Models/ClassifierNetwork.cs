using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A residual network for classification: normalisation, a stem, residual blocks, a linear classifier. It takes images in [0, 1]
/// and runs whole or as a subnet.
/// </summary>
public sealed class ClassifierNetwork : torch.nn.Module<torch.Tensor, torch.Tensor>, ISubnetNetwork
{
    private readonly NetworkPlan _plan;
    private readonly Convolution _stem;
    private readonly BatchNorm? _stemNorm;
    private readonly List<ResidualBlock> _blocks = [];
    private readonly BatchNorm? _finalNorm;
    private readonly Head _head;

    internal ClassifierNetwork(NetworkPlan plan, int classes, IReadOnlyList<double> mean, IReadOnlyList<double> standardDeviation, long seed)
        : base(plan.Name)
    {
        using var generator = new torch.Generator(new SeededRandom(seed, RandomUse.Weights).NextBits() >> 1);
        (_plan, Name, Classes) = (plan, plan.Name, classes);
        register_buffer("mean", torch.tensor(mean.ToArray(), torch.float32).view(1, 3, 1, 1));
        register_buffer("standard_deviation", torch.tensor(standardDeviation.ToArray(), torch.float32).view(1, 3, 1, 1));

        _stem = new Convolution(3, plan.StemChannels, plan.StemKernel, plan.StemStride, generator);
        register_module("conv1", _stem);
        if (plan.StemNorm)
        {
            register_module("bn1", _stemNorm = new BatchNorm(plan.StemChannels));
        }

        foreach (var (stageName, blocks) in plan.Stages)
        {
            var stage = new Stage(stageName, [.. blocks.Select(create => create(generator))]);
            _blocks.AddRange(stage.Blocks);
            stage.AddTo(this);
        }

        if (plan.FinalNorm is { } finalNorm)
        {
            register_module(finalNorm, _finalNorm = new BatchNorm(plan.Features));
        }

        register_module(plan.HeadName, _head = new Head(plan.Features, classes, generator));
        Space = new SubnetSpace([.. _blocks.Select(block => block.Space)]);
    }

    /// <summary>The catalogue's name of the network, such as resnet18.</summary>
    public string Name { get; }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <inheritdoc/>
    public SubnetSpace Space { get; }

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Runs the full network.</summary>
    /// <param name="images">N×3×H×W in [0, 1]. Their type and strides decide how the network computes (float32 or bfloat16, contiguous or channels-last).</param>
    /// <returns>Logits, N×classes, float32.</returns>
    public override torch.Tensor forward(torch.Tensor images) => Run(images, null, new ForwardPass());

    /// <summary>See <see cref="Layer"/>.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <inheritdoc/>
    public torch.Tensor forward(torch.Tensor images, Subnet? subnet, SubnetStatistics? statistics = null) =>
        Run(images, subnet, new ForwardPass(subnet is not null, statistics));

    /// <summary>Multiply-adds of convolutions and classifier for one image: what a forward pass really computes.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="subnet">The subnet; null counts the full network.</param>
    public long MultiplyAdds(int height, int width, Subnet? subnet = null)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var wasTraining = training;
        eval();
        var count = new OperationCount();
        Run(torch.zeros([1, 3, height, width], device: get_buffer("mean")!.device), subnet, new ForwardPass(subnet is not null, Operations: count));
        train(wasTraining);
        return count.MultiplyAdds;
    }

    /// <summary>What a forward pass of the network, or of a subnet, computes on one image: in evaluation mode, in float32.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="subnet">The subnet; null traces the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    internal ForwardTrace Trace(int height, int width, Subnet? subnet = null, SubnetStatistics? statistics = null)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var wasTraining = training;
        eval();
        var trace = new ForwardTrace();
        var black = torch.zeros([1, 3, height, width], device: get_buffer("mean")!.device);
        trace.IsFinite = Run(black, subnet, new ForwardPass(subnet is not null, statistics, Trace: trace)).isfinite().all().ReadBoolean();
        trace.Name(this);
        train(wasTraining);
        return trace;
    }

    private torch.Tensor Run(torch.Tensor images, Subnet? subnet, ForwardPass pass)
    {
        if (images.dim() != 4 || images.shape[1] != 3)
        {
            throw new ArgumentException($"Images must be N×3×H×W, not {string.Join('×', images.shape)}.", nameof(images));
        }

        if (subnet is not null && subnet.Blocks.Count != _blocks.Count)
        {
            throw new ArgumentException($"The subnet has {subnet.Blocks.Count} blocks, the network {_blocks.Count}.", nameof(subnet));
        }

        using var scope = torch.NewDisposeScope();
        var x = Stem(images, pass);
        for (var i = 0; i < _blocks.Count; i++)
        {
            x = _blocks[i].Run(x, subnet?.Blocks[i], pass);
        }

        x = _finalNorm is null ? x : pass.Relu(_finalNorm.Run(x, pass));
        return _head.Run(x, pass).MoveToOuterDisposeScope();
    }

    private torch.Tensor Stem(torch.Tensor images, ForwardPass pass)
    {
        using var scope = torch.NewDisposeScope();
        var (mean, deviation) = (get_buffer("mean")!, get_buffer("standard_deviation")!);
        var normal = ((images.to(torch.float32) - mean) / deviation).to(images.dtype);
        pass.Trace?.Add(TracedKind.Normalisation, normal, [images], null, [("mean", mean), ("standard_deviation", deviation)]);
        var x = _stem.Run(normal, pass);
        x = _stemNorm is null ? x : pass.Relu(_stemNorm.Run(x, pass));
        return (_plan.StemPool ? Pool(x, pass) : x).MoveToOuterDisposeScope();
    }

    private static torch.Tensor Pool(torch.Tensor images, ForwardPass pass)
    {
        var result = torch.nn.functional.max_pool2d(images, 3, 2, 1);
        pass.Trace?.Add(TracedKind.MaxPool, result, [images]);
        return result;
    }

    /// <summary>Blocks under names such as layer1.0 (torchvision) or block1.layer.0 (WideResNet).</summary>
    private sealed class Stage : Layer
    {
        private readonly string[] _path;

        public Stage(string path, IReadOnlyList<ResidualBlock> blocks)
            : base(path)
        {
            _path = path.Split('.');
            Blocks = blocks;
            for (var i = 0; i < blocks.Count; i++)
            {
                register_module(i.ToString(System.Globalization.CultureInfo.InvariantCulture), blocks[i]);
            }
        }

        public IReadOnlyList<ResidualBlock> Blocks { get; }

        public void AddTo(torch.nn.Module network)
        {
            torch.nn.Module module = this;
            foreach (var name in _path.Skip(1).Reverse())
            {
                module = new Wrapper(name, module);
            }

            network.register_module(_path[0], module);
        }
    }

    private sealed class Wrapper : Layer
    {
        public Wrapper(string name, torch.nn.Module module)
            : base(name) => register_module(name, module);
    }

    private sealed class Head : Layer
    {
        public Head(int features, int classes, torch.Generator generator)
            : base(nameof(Head))
        {
            // PyTorch's default for linear layers: uniform within 1 / sqrt(inputs).
            var bound = 1 / Math.Sqrt(features);
            register_parameter("weight", new Parameter(torch.rand([classes, features], generator: generator).sub_(Kept(0.5)).mul_(Kept(2 * bound))));
            register_parameter("bias", new Parameter(torch.rand([classes], generator: generator).sub_(Kept(0.5)).mul_(Kept(2 * bound))));
        }

        // The mean over the pixels, the classifier and all that follows are float32.
        public torch.Tensor Run(torch.Tensor images, ForwardPass pass)
        {
            var weight = Parameter("weight");
            pass.Operations?.Add(weight.numel());
            var features = images.mean([2, 3], type: torch.float32);
            Prove(LayerKind.Linear, features, weight.shape[0]);
            var result = torch.nn.functional.linear(features, weight, Parameter("bias"));
            pass.Trace?.Add(TracedKind.Classifier, result, [images], this, [("weight", weight), ("bias", Parameter("bias"))]);
            return result;
        }
    }
}
