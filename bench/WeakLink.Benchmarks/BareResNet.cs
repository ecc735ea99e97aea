using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace WeakLink.Benchmarks;

/// <summary>
/// The limit that a training step is measured against: the same ResNet as bare libtorch calls on parameters, with no modules,
/// no subnets, no checks around them.
/// </summary>
internal sealed class BareResNet
{
    private readonly List<Parameter> _parameters = [];
    private readonly ConvolutionAndNorm _stem;
    private readonly List<(ConvolutionAndNorm First, ConvolutionAndNorm Second, ConvolutionAndNorm? Shortcut)> _blocks = [];
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly Tensor _mean = zeros(1, 3, 1, 1).add_(0.5);
    private readonly Tensor _deviation = ones(1, 3, 1, 1).mul_(0.25);
    private readonly torch.optim.Optimizer _optimizer;

    /// <summary>ResNet with the 3x3 stem: ResNet-18 is widths 64 ... 512 with two blocks each, ResNet-20 is 16, 32, 64 with three.</summary>
    public BareResNet(int[] widths, int blocksPerStage, int classes)
    {
        _stem = Convolution(3, widths[0], 3, 1);
        var channels = widths[0];
        for (var stage = 0; stage < widths.Length; stage++)
        {
            for (var block = 0; block < blocksPerStage; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                _blocks.Add((
                    Convolution(channels, widths[stage], 3, stride),
                    Convolution(widths[stage], widths[stage], 3, 1),
                    stride > 1 ? Convolution(channels, widths[stage], 1, stride) : null));
                channels = widths[stage];
            }
        }

        _weight = Add(randn(classes, channels).mul_(0.05));
        _bias = Add(zeros(classes));
        _optimizer = torch.optim.SGD(_parameters, 0.1, 0.9, weight_decay: 1e-4, nesterov: true);
    }

    /// <summary>Forward, backward, clip and SGD on one batch of bytes.</summary>
    public void Step(Tensor bytes, Tensor labels)
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var x = bytes.to(ScalarType.Float32).div_(255).sub_(_mean).div_(_deviation);
        x = _stem.Run(x).relu_();
        foreach (var (first, second, shortcut) in _blocks)
        {
            var y = second.Run(first.Run(x).relu_());
            x = y.add_(shortcut?.Run(x) ?? x).relu_();
        }

        var loss = F.cross_entropy(F.linear(x.mean([2, 3]), _weight, _bias), labels);
        loss.backward();
        nn.utils.clip_grad_norm_(_parameters, 3);
        _optimizer.step();
    }

    private ConvolutionAndNorm Convolution(int from, int to, int kernel, int stride) => new(
        Add(randn(to, from, kernel, kernel).mul_(Math.Sqrt(2.0 / (to * kernel * kernel)))), Add(ones(to)), Add(zeros(to)), zeros(to), ones(to), kernel / 2, stride);

    private Parameter Add(Tensor tensor)
    {
        _parameters.Add(new Parameter(tensor));
        return _parameters[^1];
    }

    private sealed record ConvolutionAndNorm(Parameter Weight, Parameter Scale, Parameter Shift, Tensor Mean, Tensor Variance, long Padding, long Stride)
    {
        public Tensor Run(Tensor x) => F.batch_norm(
            F.conv2d(x, Weight, strides: [Stride, Stride], padding: [Padding, Padding]), Mean, Variance, Scale, Shift, training: true);
    }
}
