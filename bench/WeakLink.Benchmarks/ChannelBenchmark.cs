using TorchSharp;
using WeakLink.Models;

namespace WeakLink.Benchmarks;

/// <summary>
/// What fewer inner channels save libtorch: the two convolutions of a ResNet-20 block with batch norm and ReLU between them, forward
/// and backward, on as many channels as a subnet of width 0.7 keeps, as these are filled up to, and on all.
/// </summary>
internal static class ChannelBenchmark
{
    private const int BatchSize = 128;
    private const int Rounds = 9;
    private const int Times = 5;

    public static void Run()
    {
        foreach (var format in from number in Machine.Precisions from layout in new[] { Layout.Contiguous, Layout.ChannelsLast } select new ComputeFormat(number, layout))
        {
            Console.WriteLine(format);
            Run(format);
        }
    }

    private static void Run(ComputeFormat format)
    {
        foreach (var (channels, size, inner) in new[] { (16, 32, new[] { 12, 16 }), (32, 16, [23, 24, 32]), (64, 8, [45, 48, 64]) })
        {
            var timings = Interleaved.Run(Rounds, [.. inner.Select(kept => ($"{kept}", Block(format, channels, size, kept)))]);
            Console.WriteLine($"{channels} channels, {size}x{size}: " + string.Join(", ", timings.Select(timing => FormattableString.Invariant($"{timing.Name} inner ones {1000 * timing.Median / Times:0.0} ms"))));
        }
    }

    private static Action Block(ComputeFormat format, int channels, int size, int inner)
    {
        var images = format.Apply(torch.randn(BatchSize, channels, size, size)).detach().requires_grad_();
        var first = torch.randn(inner, channels, 3, 3).to(images.dtype).requires_grad_();
        var second = torch.randn(channels, inner, 3, 3).to(images.dtype).requires_grad_();
        var (scale, shift) = (torch.ones(inner).requires_grad_(), torch.zeros(inner).requires_grad_());
        return () =>
        {
            for (var i = 0; i < Times; i++)
            {
                using var scope = torch.NewDisposeScope();
                var activation = torch.nn.functional.batch_norm(torch.nn.functional.conv2d(images, first, null, [1, 1], [1, 1]), null, null, scale, shift, training: true).relu_();
                torch.nn.functional.conv2d(activation, second, null, [1, 1], [1, 1]).sum().backward();
            }
        };
    }
}
