using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Benchmarks;

/// <summary>
/// The gradient of a 3x3 convolution's weights, which is farthest from the processor's limit (see <see cref="LimitBenchmark"/>), as libtorch computes it, and by other ways to the same numbers.
/// </summary>
internal static class WeightGradientBenchmark
{
    private const int Rounds = 5, Kernel = 3;

    private static readonly (int Channels, int Side)[] Shapes = [(64, 32), (128, 16), (256, 8), (512, 4)];

    public static void Run()
    {
        Console.WriteLine($"milliseconds for {StepBenchmark.BatchSize} images, float32, medians of {Rounds} rounds in turns");
        foreach (var (channels, side) in Shapes)
        {
            using var scope = torch.NewDisposeScope();
            var (last, contiguous) = (new ComputeFormat(Precision.Fp32, Layout.ChannelsLast), ComputeFormat.Exact);
            var (images, gradient) = (torch.randn(StepBenchmark.BatchSize, channels, side, side), torch.randn(StepBenchmark.BatchSize, channels, side, side));
            var weight = torch.randn(channels, channels, Kernel, Kernel);
            // N×H×W×C with a border of zeros, and the gradient's pixels as columns.
            var padded = torch.nn.functional.pad(last.Apply(images).permute(0, 2, 3, 1), [0, 0, 1, 1, 1, 1]);
            var columns = last.Apply(gradient).permute(0, 2, 3, 1).reshape(-1, channels).t();
            torch.Tensor Patches()
            {
                var wide = side + 2;
                return padded.as_strided([StepBenchmark.BatchSize, side, side, Kernel, Kernel, channels], [(long)wide * wide * channels, wide * channels, channels, wide * channels, channels, 1])
                    .reshape(StepBenchmark.BatchSize * side * side, Kernel * Kernel * channels);
            }

            var patches = Patches();
            RequireSame(columns.mm(patches).view(channels, Kernel, Kernel, channels).permute(0, 3, 1, 2), images, weight, gradient);
            var timings = Interleaved.Run(
                Rounds,
                ("channels-last", ByLibtorch(last.Apply(images), weight, last.Apply(gradient))),
                ("weights channels-last, too", ByLibtorch(last.Apply(images), last.Apply(weight), last.Apply(gradient))),
                ("contiguous", ByLibtorch(contiguous.Apply(images), weight, contiguous.Apply(gradient))),
                ("a product of patches", Freed(() => columns.mm(patches))),
                ("laying the patches out", Freed(() => Patches())),
                ("nine products", Freed(() =>
                {
                    for (var place = 0; place < Kernel * Kernel; place++)
                    {
                        columns.mm(padded.narrow(1, place / Kernel, side).narrow(2, place % Kernel, side).reshape(-1, channels));
                    }
                })));
            Console.WriteLine($"{channels} -> {channels}, {side}x{side}: {string.Join(", ", timings.Select(timing => FormattableString.Invariant($"{timing.Name} {1000 * timing.Median:0.0}")))}");
        }
    }

    private static Action ByLibtorch(torch.Tensor images, torch.Tensor weight, torch.Tensor gradient)
    {
        var learnt = weight.detach().requires_grad_();
        var result = torch.nn.functional.conv2d(images, learnt, padding: [1, 1]);
        return Freed(() => torch.autograd.grad([result], [learnt], [gradient], retain_graph: true));
    }

    private static Action Freed(Action work) => () =>
    {
        using var scope = torch.NewDisposeScope();
        work();
    };

    // Another number would be no alternative.
    private static void RequireSame(torch.Tensor found, torch.Tensor images, torch.Tensor weight, torch.Tensor gradient)
    {
        var learnt = weight.clone().requires_grad_();
        torch.nn.functional.conv2d(images, learnt, padding: [1, 1]).backward([gradient]);
        var error = ((found - learnt.grad!).abs().max() / learnt.grad!.abs().max()).item<float>();
        if (error > 1e-3)
        {
            throw new InputException(FormattableString.Invariant($"The products give another gradient: {error:g2} off."));
        }
    }
}
